// What a tab shows, kept for when the page is loaded anew; a new tab begins where the last one was.

/** @import { Filters, Mode } from "./types.js" */

/**
 * Index, mode, conversation, filters, draft, the question that was being asked before anybody had kept it, and the
 * index that the server was started with; each may be missing.
 * @typedef {object} Remembered
 * @property {string} [index]
 * @property {Mode} [mode]
 * @property {string} [conversation]
 * @property {Filters} [filters]
 * @property {string} [draft]
 * @property {string} [asking]
 * @property {string} [startedWith]
 */

const KEY = "haystack";
const OWN = ["asking", "draft", "filters"]; // of this tab only

/**
 * @param {() => Storage} storage
 * @returns {Remembered | null}
 */
function read(storage) {
  try {
    return JSON.parse(storage().getItem(KEY) ?? "null");
  } catch {
    return null; // the browser lets nothing be kept, or what was kept is not ours
  }
}

/**
 * @param {() => Storage} storage
 * @param {Remembered} value
 */
function write(storage, value) {
  try {
    storage().setItem(KEY, JSON.stringify(value));
  } catch {
    // The same, or there is no room: then a reload begins anew.
  }
}

const kept = { ...(read(() => sessionStorage) ?? read(() => localStorage)) };

/**
 * What was kept before this page was loaded.
 * @type {Readonly<Remembered>}
 */
export const remembered = Object.freeze({ ...kept });

/** @param {Remembered} changes */
export function remember(changes) {
  Object.assign(kept, changes);
  write(() => sessionStorage, kept);
  write(() => localStorage, Object.fromEntries(Object.entries(kept).filter(([name]) => !OWN.includes(name))));
}
