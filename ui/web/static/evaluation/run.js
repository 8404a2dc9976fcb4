// One evaluation: its tables, and what was expected beside what was found where the two differ.

import { frame, get, still } from "../common/api.js";
import { app } from "../app.js";
import { SMALL } from "../evidence/card.js";
import { clock, count, h, languageName } from "../common/dom.js";
import { openEvidence } from "../evidence/viewer.js";

const FIRST = 2;

export function drawTables(tables) {
  if (!tables.length) return [h("p", { class: "quiet" }, "There is nothing to tell.")];
  const drawn = tables.map(drawTable);
  const rest = drawn.slice(FIRST).map((table, place) => h("details", {}, h("summary", {}, tables[FIRST + place].title), table));
  return [...drawn.slice(0, FIRST).map((table, place) => h("div", {}, h("h3", {}, tables[place].title), table)), ...rest];
}

function drawTable({ title, note, columns, rows }) {
  const cells = (tag, values) => values.map((text, place) => h(place ? tag : "th", { scope: tag === "th" ? "col" : place ? null : "row", class: place ? "figure" : "" }, text));
  return h("div", { class: "measured" },
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, h("table", {}, h("thead", {}, h("tr", {}, cells("th", columns))), h("tbody", {}, rows.map((row) => h("tr", {}, cells("td", row)))))),
    h("p", { class: "quiet" }, note));
}

export function drawRun({ tables, failures, failed, versions }) {
  const shown = failures.length < failed ? `, the first ${failures.length} of them` : "";
  const wrong = failed
    ? [h("h3", {}, `${count(failed, "question")} whose right file did not come first${shown}`), h("ol", { class: "misses" }, failures.map(drawFailure))]
    : [h("p", { class: "quiet" }, "The right file came first for every question.")];
  return [h("div", { class: "run" }, ...drawTables(tables), ...wrong, h("p", { class: "quiet" }, versions.join(", ")))];
}

function drawFailure(one) {
  const rank = one.rank === null ? "The right file was not found" : `The right file is number ${one.rank}`;
  const language = one.language && one.language !== navigator.language.slice(0, 2) ? ` · ${languageName(one.language)}` : "";
  const given = one.abstained ? "No answer was given." : one.given ? `Answered: ${one.given}` : "";
  return h("li", {},
    h("p", { class: "asked", dir: "auto", lang: one.language || null }, one.question),
    h("p", { class: "quiet" }, `${rank}${language}`),
    h("div", { class: "sides" },
      drawSide("Expected", one.expected, one.answer ? `Answer: ${one.answer}` : ""),
      one.found ? drawSide("Found first", one.found, given) : h("div", { class: "side-of" }, h("h4", {}, "Found first"), h("p", { class: "quiet" }, "Nothing"))));
}

function drawSide(title, side, words) {
  const name = [side.name, side.place].filter(Boolean).join(", ");
  const open = side.asset
    ? h("button", { type: "button", class: "link", dir: "auto", onclick: (event) => openSide(side, event.currentTarget) }, name)
    : h("p", {}, name, h("span", { class: "quiet" }, " (not in the index)"));
  return h("div", { class: "side-of" }, face(side), h("h4", {}, title), open, words ? h("p", { class: "quiet", dir: "auto" }, words) : null);
}

function face(side) {
  if (side.look === "text" || !side.asset) return h("span", { class: "pic" }, h("span", { class: "kind" }, side.type));
  const source = side.look === "video" ? frame(app.index, side.asset, side.start ?? 0, SMALL) : still(app.index, side.asset, side.page ?? 1, SMALL);
  const image = h("img", { src: source, alt: "", loading: "lazy" });
  const kind = h("span", { class: "kind" }, side.type);
  image.addEventListener("error", () => image.replaceWith(kind));
  return h("span", { class: "pic" }, image, side.look === "video" ? h("span", { class: "when" }, clock(side.start ?? 0)) : null);
}

const holds = (piece, side) => (side.start !== null ? (piece.start ?? 0) <= side.start && side.start <= (piece.end ?? Infinity) : side.page === null || (piece.page ?? 1) === side.page);

async function openSide(side, button) {
  try {
    const places = await get(`/api/places/${encodeURIComponent(app.index)}/${side.asset}`);
    const piece = places.find((one) => holds(one, side)) ?? places[0];
    if (piece) openEvidence([{ ...piece, n: 1, boxes: [], page: side.page ?? piece.page, start: side.start ?? piece.start, place: side.place }], 1);
  } catch (error) {
    button.after(h("p", { class: "failure", role: "alert" }, error.message));
  }
}
