// A bar for work that goes on: made once, then only changed, so that whoever presses or reads it is not disturbed.

import { first, h } from "./dom.js";
import { messageOf } from "./words.js";

/**
 * How far it is: `share` of 1, `words`, what is done `now`; `onstop` ends it, `stop` is the id of what is pressed.
 * @typedef {object} Bar
 * @property {string} name
 * @property {number} share
 * @property {string} words
 * @property {string} [now]
 * @property {boolean} [stopping]
 * @property {string} stop
 * @property {() => Promise<unknown>} onstop
 */

/**
 * Show it in a place.
 * @param {HTMLElement} place
 * @param {Bar} bar
 */
export function showBar(place, bar) {
  const { share, words, now = "", stopping = false } = bar;
  if (!place.querySelector(":scope > .progress")) place.replaceChildren(makeBar(bar));
  first(place, ".fill").style.width = `${Math.round(100 * Math.max(share, 0.02))}%`;
  first(place, ".track").setAttribute("aria-valuenow", String(Math.round(100 * share)));
  write(first(place, "[role=status]"), stopping ? "Stopping…" : words);
  write(first(place, ".current"), now);
  first(place, ".stop").hidden = stopping;
}

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Bar} bar */
function makeBar({ name, stop, onstop }) {
  const current = h("p", { class: "quiet current" });
  const onclick = async () => {
    try {
      await onstop();
    } catch (error) {
      current.textContent = messageOf(error);
    }
  };
  const button = h("button", { type: "button", class: "link stop", id: stop, onclick }, "Stop");
  const range = { "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100" };
  return h("div", { class: "progress" },
    h("div", { class: "facts" }, h("span", { role: "status" }), button),
    h("div", { class: "track", role: "progressbar", ...range }, h("div", { class: "fill" })),
    current);
}
