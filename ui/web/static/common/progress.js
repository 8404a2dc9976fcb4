// A bar for work that goes on: made once, then only changed, so that whoever presses or reads it is not disturbed.

import { h } from "./dom.js";

/** Show in a place how far it is: `share` of 1, `words`, what is done `now`; `onstop` ends it. */
export function showBar(place, { name, share, words, now = "", stopping = false, stop = {}, onstop }) {
  if (!place.querySelector(":scope > .progress")) place.replaceChildren(makeBar(name, stop, onstop));
  const percent = Math.round(100 * Math.max(share, 0.02));
  place.querySelector(".fill").style.width = `${percent}%`;
  place.querySelector(".track").setAttribute("aria-valuenow", String(Math.round(100 * share)));
  write(place.querySelector("[role=status]"), stopping ? "Stopping…" : words);
  write(place.querySelector(".current"), now);
  place.querySelector(".stop").hidden = stopping;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function makeBar(name, stop, onstop) {
  const current = h("p", { class: "quiet current" });
  const onclick = async () => {
    try {
      await onstop();
    } catch (error) {
      current.textContent = error.message;
    }
  };
  return h("div", { class: "progress" },
    h("div", { class: "facts" }, h("span", { role: "status" }), h("button", { type: "button", class: "link stop", ...stop, onclick }, "Stop")),
    h("div", { class: "track", role: "progressbar", "aria-label": name, "aria-valuemin": "0", "aria-valuemax": "100" }, h("div", { class: "fill" })),
    current);
}
