// The evidence rail: what was found for the question that was asked last.

import { send } from "../common/api.js";
import { all, byId, firstIfThere, h, iconButton, ifThere, redraw } from "../common/dom.js";
import { app, ask, asked, evidence, known, lit, railOpen, similar, viewed } from "../common/state.js";
import { count, messageOf } from "../common/words.js";
import { drawCard, placeOf } from "../evidence/card.js";
import { openHere } from "../evidence/open.js";

/** @import { Card } from "../common/types.js" */

const NONE_YET =
  "The places that answer your question appear here: pages with the passage marked, photos, and clips at the second.";

/** @type {Set<string>} */
const excluded = new Set();
/** @type {Card[]} */
let shown = [];

/** Show what is found from now on. */
export function startRail() {
  railOpen.listen(toggle);
  evidence.listen(show);
  similar.listen((card) => card && showSimilar(card));
  asked.listen(toTop);
  lit.listen(light);
  evidence.set([]);
}

/**
 * On a narrow screen: the evidence comes over the answer and takes the focus, or goes and gives it back.
 * @param {boolean} open
 */
function toggle(open) {
  const rail = byId("rail");
  const held = rail.contains(document.activeElement);
  rail.classList.toggle("open", open);
  byId("rail-toggle").setAttribute("aria-expanded", String(open));
  if (open) firstIfThere(rail, ".close")?.focus();
  else if (held && !rail.checkVisibility({ visibilityProperty: true })) byId("rail-toggle").focus();
}

/**
 * @param {string} title
 * @param {HTMLElement | null} extra
 */
function head(title, extra = null) {
  const close = iconButton("close", "Close the evidence", () => railOpen.set(false), { class: "icon close" });
  return h("div", { class: "rail-head" }, h("h2", {}, title), extra, close);
}

/** @param {Card[]} cards */
const named = (cards) => cards.map(({ id }) => id).join();

/** @param {Card[]} cards */
function show(cards) {
  if (cards !== shown) excluded.clear();
  if (named(cards) !== named(shown)) toTop(); // else the reader may be in the midst of it
  shown = cards;
  byId("rail-toggle").title = count(cards.length, "place");
  if (cards.length) draw();
  else byId("rail").replaceChildren(head("Evidence"), h("p", { class: "empty" }, NONE_YET));
}

function draw() {
  const again = excluded.size ? link("Ask again without", askAgain) : null;
  const cards = shown.map((card) => (excluded.has(card.id) ? excludedCard(card) : fullCard(card)));
  const rail = byId("rail");
  redraw(rail, () => rail.replaceChildren(head(count(shown.length, "place"), again), list(cards)));
}

/** @param {HTMLElement[]} cards */
const list = (cards) => h("div", { class: "cards", id: "cards" }, cards);

/**
 * @param {string} text
 * @param {() => void} onclick
 * @param {Record<string, string>} properties
 */
const link = (text, onclick, properties = {}) =>
  h("button", { type: "button", class: "link", onclick, ...properties }, text);

/** Ask the last question again, without the places that were excluded. */
function askAgain() {
  if (!asked.value) return;
  const { text, picture = null } = asked.value;
  ask({ text, picture, excluded: [...excluded] });
}

/** @param {Card} card */
function excludedCard(card) {
  const takeBack = () => {
    excluded.delete(card.id);
    draw();
    firstIfThere(byId("rail"), `[data-id="${card.id}"] .open`)?.focus();
  };
  const words = h("span", {}, h("bdi", {}, placeOf(card)), " excluded");
  return h("article", { class: "card out" },
    h("div", { class: "body" }, words, link("Take back", takeBack, { "data-back": card.id })));
}

/** @param {Card} card */
function exclude(card) {
  excluded.add(card.id);
  draw();
  firstIfThere(byId("rail"), `[data-back="${card.id}"]`)?.focus();
}

/** @param {Card} card */
function fullCard(card) {
  const actions = [
    iconButton("similar", "Show similar", () => similar.set(card)),
    iconButton("exclude", "Exclude", () => exclude(card)),
    ...(known.value.local ? [iconButton("open", "Open on this computer", () => openHere(card))] : []),
  ];
  return drawCard(card, { onopen: () => viewed.set({ cards: shown, number: card.n }), actions });
}

/** @param {Card} card */
async function showSimilar(card) {
  const before = shown;
  const back = link("Back", () => evidence.set(before));
  const rail = byId("rail");
  redraw(rail, () => rail.replaceChildren(head("Looking for similar places", back)), () => back);
  try {
    /** @type {{ cards: Card[] }} */
    const { cards } = await send("/api/search", { index: app.index, asset: card.asset, piece: card.id });
    shown = cards;
    excluded.clear();
    toTop();
    const found = cards.length ? list(cards.map(fullCard)) : h("p", { class: "empty" }, "Nothing else is like it.");
    redraw(rail, () => rail.replaceChildren(head(`Like ${card.name}`, back), found), () => back);
  } catch (error) {
    const failed = h("p", { class: "empty failure", role: "alert" }, messageOf(error));
    rail.replaceChildren(head("Similar places", back), failed);
  }
}

function toTop() {
  byId("rail").scrollTop = 0;
}

/** @param {number} number */
function light(number) {
  for (const card of all(document, ".card.lit")) card.classList.remove("lit");
  const card = ifThere(`evidence-${number}`);
  card?.classList.add("lit");
  card?.scrollIntoView({ block: "nearest" });
}

/**
 * Move the focus among the cards; whether there was one to move to.
 * @param {number} step
 */
export function stepEvidence(step) {
  const buttons = all(byId("rail"), ".card .open");
  const here = buttons.findIndex((button) => button.closest(".card")?.contains(document.activeElement));
  const next = buttons[Math.max(0, Math.min(buttons.length - 1, here + step))];
  if (!next) return false;
  next.focus();
  next.closest(".card")?.scrollIntoView({ block: "nearest" });
  return true;
}
