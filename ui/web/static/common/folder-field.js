// A field for a folder: completes while one types, and says what is in it.

import { send } from "./api.js";
import { h } from "./dom.js";
import { known, mediumOf } from "./state.js";
import { count, duration } from "./words.js";

/**
 * The field, and the list that completes it.
 * @param {string} id
 * @returns {[HTMLInputElement, HTMLDataListElement]}
 */
export function folderField(id) {
  const list = h("datalist", { id: `${id}-list` });
  const placeholder = `${known.value.home || "/home/me"}/Documents`;
  const listed = { list: `${id}-list`, "aria-label": "Folder", spellcheck: false, autocomplete: "off" };
  const input = h("input", { type: "text", id, placeholder, ...listed });
  let asked = 0;
  input.addEventListener("input", async () => {
    const mine = ++asked;
    /** @type {string[]} */
    const folders = await send("/api/index/folders", { folder: input.value || " " }).catch(() => []);
    if (mine === asked) list.replaceChildren(...folders.map((folder) => h("option", { value: folder })));
  });
  return [input, list];
}

/**
 * What is in a folder and how long reading it takes, in words.
 * @param {string} folder
 */
export async function estimated(folder) {
  /** @type {{ kinds: Record<string, number>, files: number, seconds: number }} */
  const { kinds, files, seconds } = await send("/api/index/estimate", { folder });
  const known = Object.entries(kinds).filter(([, number]) => number);
  if (!known.length) return `None of its ${count(files, "file")} is of a kind that is read.`;
  const parts = known.map(([kind, number]) => {
    const { one, many } = mediumOf(kind);
    return count(number, one, many);
  });
  return `${parts.join(", ")}. Reading them takes about ${duration(seconds)}; you can ask meanwhile.`;
}
