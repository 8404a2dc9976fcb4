// What the server tells and the parts of the page give each other, as types: nothing of it is run.

/**
 * Where something is in a file: a page, or from one second to another; boxes are shares of the page.
 * @typedef {object} Locator
 * @property {string} place In words, as "slide 2"; empty for what is one place.
 * @property {number | null} page
 * @property {number | null} start
 * @property {number | null} end
 * @property {number[][]} boxes Left, top, right and bottom of each.
 */

/** @typedef {"page" | "picture" | "video" | "text"} Look */

/**
 * A place in a file, however it was come by.
 * @typedef {Locator & {
 *   id: string, asset: string, name: string, folder: string, title: string, type: string, look: Look,
 *   playable: boolean, language: string, made: string, where: string, heading: string, pages: number | null,
 *   duration: number | null, frame: number | null, text: string, ocr: boolean,
 * }} Place
 */

/**
 * A place that was found; `score` is its share of the best one's.
 * @typedef {Place & { n: number, score?: number, why?: string[], words?: string[], snippet?: string }} Card
 */

/** @typedef {Locator & { n: number, quote: string, verified: boolean }} Citation */

/**
 * @typedef {object} Answer
 * @property {string} text
 * @property {boolean} [abstained]
 * @property {boolean} [listed]
 * @property {string[]} notes
 * @property {Citation[]} citations
 * @property {boolean} [stopped]
 * @property {string} [incomplete]
 * @property {string} [error]
 */

/**
 * @typedef {object} Filters
 * @property {string[]} modalities
 * @property {string[]} folders
 * @property {string[]} types
 * @property {string[]} languages
 * @property {string} after
 * @property {string} before
 */

/** @typedef {"extractive" | "direct" | "agent"} Mode */

/**
 * How a question was understood; `filters` are those used where they are not the ones chosen.
 * @typedef {{ understood: string, parts: string[], filters: Filters | null }} Heard
 */

/**
 * What the server tells while it answers, one after another.
 * @typedef {{ kind: "begin", conversation: string }
 *   | { kind: "status" | "tool" | "token", text: string }
 *   | Heard & { kind: "found", cards: Card[] }
 *   | { kind: "gathered", cards: Card[] }
 *   | { kind: "done", answer: Answer, cards: Card[] }
 *   | { kind: "stopped", answer: Answer }
 *   | { kind: "error", text: string, gone?: boolean }
 *   | { kind: "unkept", text: string, asked: boolean }
 *   | { kind: "kept" }
 *   | { kind: "end" }} Told
 */

/**
 * A question and what was answered, as it was kept; the answer is empty while there is none.
 * @typedef {object} Turn
 * @property {string} question
 * @property {Mode} mode
 * @property {string} understood
 * @property {string[]} parts
 * @property {boolean} picture
 * @property {Filters | null} narrowed
 * @property {string[]} steps
 * @property {Answer} answer
 * @property {Card[]} cards
 */

/** @typedef {{ index: string, making: boolean, turns: Turn[] }} Conversation */

/**
 * What is asked: `asAsked` without filters that its words would set, `excluded` without those places.
 * @typedef {object} Question
 * @property {string} text
 * @property {{ id: string, preview: string } | null} [picture]
 * @property {boolean} [asAsked]
 * @property {string[]} [excluded]
 */

/**
 * How far indexing is.
 * @typedef {object} IndexProgress
 * @property {string} phase
 * @property {number} done
 * @property {number} total
 * @property {number} bytes_done
 * @property {number} bytes_total
 * @property {number} pieces
 * @property {string[]} current
 * @property {number | null} left
 */

/** @typedef {{ read: number, moved: number, removed: number, interrupted: boolean, seconds: number }} IndexReport */

/**
 * A run of indexing.
 * @typedef {object} Job
 * @property {boolean} running
 * @property {boolean} [stopping]
 * @property {string | null} [error]
 * @property {IndexProgress} [progress]
 * @property {IndexReport} [report]
 */

/** @typedef {{ value: string, label: string, count: number }} Facet */

/**
 * What a medium is called: one file of it, several, and all of it where one chooses; filters have its `value`.
 * @typedef {{ value: string, one: string, many: string, title: string }} Medium
 */

/**
 * What the server knows of the index that is open; what only the index tells comes later.
 * @typedef {object} State
 * @property {string} index
 * @property {string} started_with
 * @property {{ key: string, label: string }[]} indexes
 * @property {string} model
 * @property {string} destination
 * @property {boolean} local
 * @property {string} home
 * @property {Medium[]} media
 * @property {boolean} ready
 * @property {string} error
 * @property {boolean} [sees]
 * @property {Job} [job]
 * @property {Record<"modalities" | "folders" | "types" | "languages", Facet[]>} [facets]
 * @property {string[]} [examples]
 * @property {boolean} [complete]
 */

export {};
