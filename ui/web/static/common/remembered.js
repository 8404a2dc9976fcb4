// What a tab shows, kept so that it is there again when the page is loaded anew; a new tab begins where the last one was.

const KEY = "haystack";
const OWN = ["asking", "draft", "filters"]; // of this tab only

function read(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)) ?? null;
  } catch {
    return null; // the browser lets nothing be kept, or what was kept is not ours
  }
}

function write(storage, value) {
  try {
    storage().setItem(KEY, JSON.stringify(value));
  } catch {
    // The same, or there is no room: then a reload begins anew.
  }
}

const kept = { ...(read(() => sessionStorage) ?? read(() => localStorage)) };

/** What was kept before this page was loaded: index, mode, conversation, filters, draft, and
 * the question that was being asked before anybody had kept it; each may be missing. */
export const remembered = Object.freeze({ ...kept });

export function remember(changes) {
  Object.assign(kept, changes);
  write(() => sessionStorage, kept);
  write(() => localStorage, Object.fromEntries(Object.entries(kept).filter(([name]) => !OWN.includes(name))));
}
