// One evaluation: its tables, and what was expected beside what was found where the two differ.

import { get, placesOf } from "../common/api.js";
import { as, failure, h } from "../common/dom.js";
import { app, viewed } from "../common/state.js";
import { count, languageName, messageOf } from "../common/words.js";
import { SMALL, sourceOf } from "../evidence/card.js";

/** @import { Place } from "../common/types.js" */
/** @import { Failure, Run, Side, Table } from "./types.js" */

const FIRST = 2; // tables that are shown at once

/** @param {Table[]} tables */
export function drawTables(tables) {
  if (!tables.length) return [h("p", { class: "quiet" }, "There is nothing to tell.")];
  const shown = tables.slice(0, FIRST).map((table) => h("div", {}, h("h3", {}, table.title), drawTable(table)));
  const rest = tables.slice(FIRST).map((table) => h("details", {}, h("summary", {}, table.title), drawTable(table)));
  return [...shown, ...rest];
}

/** @param {Table} table */
function drawTable({ title, note, columns, rows }) {
  const heads = columns.map((text, place) => h("th", { scope: "col", class: place ? "figure" : "" }, text));
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(drawRow)));
  return h("div", { class: "measured" },
    h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": title }, table),
    h("p", { class: "quiet" }, note));
}

/** @param {string[]} row */
function drawRow([name = "", ...figures]) {
  const cells = figures.map((text) => h("td", { class: "figure" }, text));
  return h("tr", {}, h("th", { scope: "row", class: "" }, name), cells);
}

/** @param {Run} run */
export function drawRun({ tables, failures, failed, versions }) {
  const shown = failures.length < failed ? `, the first ${failures.length} of them` : "";
  const title = `${count(failed, "question")} whose right file did not come first${shown}`;
  const wrong = failed
    ? [h("h3", {}, title), h("ol", { class: "misses" }, failures.map(drawFailure))]
    : [h("p", { class: "quiet" }, "The right file came first for every question.")];
  const made = h("p", { class: "quiet" }, versions.join(", "));
  return h("div", { class: "run" }, drawTables(tables), wrong, made);
}

/** @param {Failure} one */
function drawFailure(one) {
  const rank = one.rank === null ? "The right file was not found" : `The right file is number ${one.rank}`;
  const foreign = one.language && one.language !== navigator.language.slice(0, 2);
  const language = foreign ? ` · ${languageName(one.language)}` : "";
  return h("li", {},
    h("p", { class: "asked", dir: "auto", lang: one.language || null }, one.question),
    h("p", { class: "quiet" }, `${rank}${language}`),
    h("div", { class: "sides" },
      drawSide("Expected", one.expected, one.answer ? `Answer: ${one.answer}` : ""),
      one.found ? drawSide("Found first", one.found, givenBy(one)) : nothing()));
}

const nothing = () => h("div", { class: "side-of" }, h("h4", {}, "Found first"), h("p", { class: "quiet" }, "Nothing"));

/** @param {Failure} one */
function givenBy(one) {
  if (one.abstained) return "No answer was given.";
  return one.given ? `Answered: ${one.given}` : "";
}

/**
 * @param {string} title
 * @param {Side} side
 * @param {string} words
 */
function drawSide(title, side, words) {
  const name = [side.name, side.place].filter(Boolean).join(", ");
  const onclick = (/** @type {MouseEvent} */ event) => openSide(side, as(HTMLElement, event.currentTarget));
  const open = side.asset
    ? h("button", { type: "button", class: "link", dir: "auto", onclick }, name)
    : h("p", {}, name, h("span", { class: "quiet" }, " (not in the index)"));
  const said = words ? h("p", { class: "quiet", dir: "auto" }, words) : null;
  return h("div", { class: "side-of" }, face(side), h("h4", {}, title), open, said);
}

/** @param {Side} side */
function face(side) {
  const kind = h("span", { class: "kind" }, side.type);
  const source = side.asset ? sourceOf(side, SMALL) : "";
  if (!source) return h("span", { class: "pic" }, kind);
  const image = h("img", { src: source, alt: "", loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(kind));
  const when = side.start === null ? null : h("span", { class: "when" }, side.place);
  return h("span", { class: "pic" }, image, when);
}

/**
 * @param {Place} piece
 * @param {Side} side
 */
function holds(piece, side) {
  if (side.start === null) return side.page === null || (piece.page ?? 1) === side.page;
  return (piece.start ?? 0) <= side.start && side.start <= (piece.end ?? Infinity);
}

/**
 * @param {Side} side
 * @param {HTMLElement} button
 */
async function openSide(side, button) {
  try {
    /** @type {Place[]} */
    const places = await get(placesOf(app.index, side.asset));
    const piece = places.find((one) => holds(one, side)) ?? places[0];
    if (!piece) return;
    const at = { page: side.page ?? piece.page, start: side.start ?? piece.start, place: side.place };
    viewed.set({ cards: [{ ...piece, n: 1, boxes: [], ...at }], number: 1 });
  } catch (error) {
    button.after(failure(messageOf(error)));
  }
}
