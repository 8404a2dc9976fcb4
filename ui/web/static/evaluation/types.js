// What the server tells of evaluations, as types: nothing of it is run.

/** @import { Locator, Look } from "../common/types.js" */

/** @typedef {{ title: string, note: string, columns: string[], rows: string[][] }} Table */

/** @typedef {Locator & { name: string, asset: string, look: Look, type: string }} Side */

/**
 * A question whose right file did not come first.
 * @typedef {object} Failure
 * @property {string} question
 * @property {string} language
 * @property {number | null} rank
 * @property {string} answer
 * @property {string} given
 * @property {boolean} abstained
 * @property {Side} expected
 * @property {Side | null} found
 */

/**
 * An evaluation; `failed` may be more than the failures that are told.
 * @typedef {{ tables: Table[], failures: Failure[], failed: number, versions: string[] }} Run
 */

/**
 * The figures of an evaluation that was ended; shares of 1.
 * @typedef {object} Summary
 * @property {number} questions
 * @property {number | null} recall_1
 * @property {number | null} recall_5
 * @property {number | null} right
 * @property {number} [missing]
 */

/** @typedef {{ key: string, begun: string, name: string, reader: string, summary: Summary | null }} Listed */

/**
 * The evaluation that goes on, or the one that ended last; `about` is its key.
 * @typedef {object} Work
 * @property {string} about
 * @property {boolean} running
 * @property {boolean} stopping
 * @property {boolean} stopped
 * @property {string} label
 * @property {number} done
 * @property {number} total
 * @property {string | null} error
 * @property {string[]} failures
 * @property {number} missing
 */

/**
 * All that is known of evaluations of the index; `kept` is the folder they are in.
 * @typedef {object} Overview
 * @property {string[]} folders
 * @property {string[]} systems
 * @property {string} model
 * @property {string} kept
 * @property {Listed[]} runs
 * @property {Work} job
 */

export {};
