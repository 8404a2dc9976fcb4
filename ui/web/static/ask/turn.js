// One question on the page: how it was understood, what is being done, its answer with links to where that is from.

import { failure, h, icon } from "../common/dom.js";
import { described, filtersOf } from "../common/filter-values.js";
import { app, ask, evidence, filters, lit, railOpen, viewed } from "../common/state.js";
import { count } from "../common/words.js";
import { Speaker } from "./aloud.js";

/** @import { Answer, Card, Citation, Heard, Mode, Turn } from "../common/types.js" */

/**
 * The parts of one question; `again` asks it anew, `begun` says that the server has it, `first` that it begins a
 * conversation.
 * @typedef {object} Parts
 * @property {Mode} mode
 * @property {Speaker} aloud
 * @property {HTMLElement} heard
 * @property {HTMLElement} summary
 * @property {HTMLElement} list
 * @property {HTMLElement} answer
 * @property {HTMLElement} notes
 * @property {HTMLElement} ends
 * @property {HTMLDetailsElement} steps
 * @property {HTMLElement} all
 * @property {(() => void) | null} again
 * @property {boolean} begun
 * @property {boolean} first
 */

/**
 * A question without its answer yet; `preview` is the picture that it is asked with.
 * @param {string} question
 * @param {(() => void) | null} again
 * @param {string} [preview]
 * @returns {Parts}
 */
export function drawTurn(question, again, preview) {
  const heard = h("p", { class: "heard", hidden: true });
  const summary = h("summary", {}, "Searching");
  const list = h("ol");
  const answer = h("div", { class: "answer", dir: "auto" });
  const notes = h("div", { class: "notes" });
  const ends = h("div", { class: "ends" });
  const steps = h("details", { class: "steps busy" }, summary, list);
  const all = h("article", { class: "turn" },
    h("h2", { class: "question", dir: "auto" }, question || "A picture"),
    preview ? queryPicture(preview) : null,
    heard, steps, answer, notes, ends);
  const drawn = { heard, summary, list, answer, notes, ends, steps, all };
  return { mode: app.mode, aloud: new Speaker(), ...drawn, again, begun: false, first: !app.conversation };
}

/** @param {string} preview */
const queryPicture = (preview) =>
  h("div", { class: "query-picture" }, h("img", { src: preview, alt: "The picture that was searched with" }));

/**
 * A question that was kept.
 * @param {Turn} turn
 * @param {boolean} making
 * @returns {HTMLElement}
 */
export function drawKept(turn, making) {
  const parts = drawTurn(turn.question, turn.picture ? null : () => ask({ text: turn.question }));
  turn.steps.forEach((text) => addStep(parts, text));
  drawHeard(parts, { understood: turn.understood, parts: turn.parts, filters: turn.narrowed }, turn.question);
  if (making) {
    parts.answer.append(turn.answer.text ?? "");
    return parts.all;
  }
  settle(parts);
  if (turn.answer.error) drawError(parts, turn.answer.error);
  else drawAnswer(parts, turn.answer, turn.cards, turn.mode === "extractive");
  return parts.all;
}

/**
 * @param {Parts} parts
 * @param {string} text
 */
export function addStep(parts, text) {
  parts.summary.textContent = text;
  parts.list.append(h("li", {}, text));
}

/**
 * Nothing more is being done.
 * @param {Parts} parts
 */
export function settle(parts) {
  parts.steps.classList.remove("busy");
  parts.steps.open = false;
  const steps = parts.list.children.length;
  parts.summary.textContent = steps > 1 ? count(steps, "step") : "Done";
  parts.steps.hidden = steps < 3; // searching and reading are no news
}

/**
 * How it was understood, where that is not as it was asked.
 * @param {Parts} parts
 * @param {Heard} heard
 * @param {string} question
 */
export function drawHeard(parts, heard, question) {
  const used = heard.filters;
  const said = [
    heard.understood ? h("span", {}, `Understood as: ${heard.understood}`) : null,
    heard.parts.length ? h("span", {}, `In parts: ${heard.parts.join(" | ")}`) : null,
    used ? h("span", {}, `Only ${described(used)}`) : null,
    used ? link("Edit filters", () => filters.set(filtersOf(used))) : null,
    used ? link("Search everything", () => ask({ text: question, asAsked: true })) : null,
  ].filter((one) => one !== null);
  parts.heard.hidden = !said.length;
  parts.heard.replaceChildren(...said);
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
const link = (text, onclick) => h("button", { type: "button", class: "link", onclick }, text);

/**
 * @param {number} number
 * @param {Citation | undefined} citation
 * @param {Card[]} cards
 */
function chip(number, citation, cards) {
  const card = cards.find(({ n }) => n === number);
  if (!card) return `[${number}]`;
  const place = [card.name, citation?.place || card.place].filter(Boolean).join(", ");
  const doubt = citation && !citation.verified && citation.quote ? " (its words were not found there)" : "";
  const link = h("a", {
    class: doubt ? "chip unsure" : "chip",
    href: `#evidence-${number}`,
    title: place + doubt,
    "aria-label": `Citation ${number}: ${place}${doubt}`,
  }, String(number));
  link.addEventListener("click", (event) => {
    event.preventDefault();
    evidence.set(cards);
    lit.set(number);
    viewed.set(citation ? { cards, number, citation } : { cards, number });
  });
  return link;
}

/**
 * An answer's text as text, with our own links where it cites.
 * @param {Answer} answer
 * @param {Card[]} cards
 */
function withChips(answer, cards) {
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  const parts = answer.text.split(/\[(\d{1,3})\]/);
  const said = parts.map((part, place) => (place % 2 ? chip(Number(part), byNumber.get(Number(part)), cards) : part));
  const cited = new Set(parts.filter((_, place) => place % 2).map(Number));
  const rest = answer.citations.filter(({ n }) => !cited.has(n)).map((citation) => chip(citation.n, citation, cards));
  return rest.length ? [...said, " ", ...rest] : said;
}

/**
 * @param {Parts} parts
 * @param {Answer} answer
 * @param {Card[]} cards
 * @param {boolean} quoted
 */
export function drawAnswer(parts, answer, cards, quoted) {
  parts.answer.classList.toggle("none", Boolean(answer.abstained));
  parts.answer.classList.toggle("quoted", quoted && !answer.abstained && !answer.listed);
  parts.answer.replaceChildren(...withChips(answer, cards));
  const nearest = answer.abstained && cards.length ? "These are the nearest places; they may still help." : "";
  const notes = [...answer.notes, answer.incomplete ?? "", nearest].filter(Boolean);
  parts.notes.replaceChildren(...notes.map((note) => h("p", {}, note)));
  parts.ends.replaceChildren(...(cards.length ? toEvidence(cards) : []));
  if (answer.stopped) drawAgain(parts);
}

/** @param {Card[]} cards */
function toEvidence(cards) {
  const onclick = () => {
    evidence.set(cards);
    railOpen.set(true);
  };
  const places = count(cards.length, "place");
  return [
    h("button", { type: "button", class: "plain to-rail", onclick }, icon("rail"), places),
    h("button", { type: "button", class: "link again", onclick: () => evidence.set(cards) }, "Show its evidence"),
  ];
}

/**
 * @param {Parts} parts
 * @param {string} text
 */
export function drawError(parts, text) {
  parts.answer.replaceChildren(failure(text));
  parts.ends.replaceChildren();
  drawAgain(parts);
}

/** @param {Parts} parts */
function drawAgain(parts) {
  if (parts.again) parts.ends.append(link("Ask again", parts.again));
}
