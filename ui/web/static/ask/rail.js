// The evidence rail: what was found for the question that was asked last.

import { send } from "../common/api.js";
import { app } from "../app.js";
import { askAgain } from "./chat.js";
import { drawCard, placeOf } from "../evidence/card.js";
import { byId, count, h, iconButton, redraw } from "../common/dom.js";
import { openEvidence } from "../evidence/viewer.js";

const excluded = new Map();
let shown = [];

/** On a narrow screen: the evidence comes over the answer and takes the focus, or goes and gives it back. */
export function toggleRail(open) {
  const rail = byId("rail");
  const held = rail.contains(document.activeElement);
  const opened = rail.classList.toggle("open", open);
  byId("rail-toggle").setAttribute("aria-expanded", String(opened));
  if (opened) rail.querySelector(".close")?.focus();
  else if (held && !rail.checkVisibility({ visibilityProperty: true })) byId("rail-toggle").focus();
}

function head(title, extra) {
  const close = iconButton("close", "Close the evidence", () => toggleRail(false), { class: "icon close" });
  return h("div", { class: "rail-head" }, h("h2", {}, title), extra ?? null, close);
}

const named = (cards) => cards.map(({ id }) => id).join();

export function drawRail(cards) {
  if (cards !== shown) excluded.clear();
  if (named(cards) !== named(shown)) railToTop(); // else the reader may be in the midst of it
  shown = cards;
  const button = byId("rail-toggle");
  button.title = count(cards.length, "place");
  if (!cards.length) {
    byId("rail").replaceChildren(head("Evidence"), h("p", { class: "empty" }, "The places that answer your question appear here: pages with the passage marked, photos, and clips at the second."));
    return;
  }
  draw();
}

function draw() {
  const again = excluded.size ? h("button", { type: "button", class: "link", onclick: () => askAgain([...excluded.keys()]) }, "Ask again without") : null;
  const cards = shown.map((card) => (excluded.has(card.id) ? excludedCard(card) : fullCard(card)));
  const rail = byId("rail");
  redraw(rail, () => rail.replaceChildren(head(count(shown.length, "place"), again), h("div", { class: "cards", id: "cards" }, cards)));
}

function excludedCard(card) {
  const back = h("button", { type: "button", class: "link", "data-back": card.id, onclick: () => { excluded.delete(card.id); draw(); byId("rail").querySelector(`[data-id="${card.id}"] .open`)?.focus(); } }, "Take back");
  return h("article", { class: "card out" }, h("div", { class: "body" }, h("span", {}, h("bdi", {}, placeOf(card)), " excluded"), back));
}

function exclude(card) {
  excluded.set(card.id, card);
  draw();
  byId("rail").querySelector(`[data-back="${card.id}"]`)?.focus();
}

function fullCard(card) {
  const actions = [
    iconButton("similar", "Show similar", () => showSimilar(card)),
    iconButton("exclude", "Exclude", () => exclude(card)),
    app.state.local ? iconButton("open", "Open on this computer", () => openHere(card)) : null,
  ].filter(Boolean);
  return drawCard(card, { onopen: () => openEvidence(shown, card.n), actions });
}

export async function openHere(card, quote = "") {
  try {
    await send("/api/open", { index: app.index, asset: card.asset, piece: card.id, quote: quote.slice(0, 2000) });
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

export async function showSimilar(card) {
  const before = shown;
  const back = h("button", { type: "button", class: "link", onclick: () => drawRail(before) }, "Back");
  const rail = byId("rail");
  redraw(rail, () => rail.replaceChildren(head("Looking for similar places", back)), () => back);
  try {
    const { cards } = await send("/api/search", { index: app.index, asset: card.asset, piece: card.id });
    shown = cards;
    excluded.clear();
    railToTop();
    const list = cards.map((one) => fullCard(one));
    const found = cards.length ? h("div", { class: "cards", id: "cards" }, list) : h("p", { class: "empty" }, "Nothing else is like it.");
    redraw(rail, () => rail.replaceChildren(head(`Like ${card.name}`, back), found), () => back);
  } catch (error) {
    rail.replaceChildren(head("Similar places", back), h("p", { class: "empty failure", role: "alert" }, error.message));
  }
}

export function railToTop() {
  byId("rail").scrollTop = 0;
}

export function lightCard(number) {
  for (const card of document.querySelectorAll(".card.lit")) card.classList.remove("lit");
  const card = byId(`evidence-${number}`);
  card?.classList.add("lit");
  card?.scrollIntoView({ block: "nearest" });
}

/** Move the focus among the cards; whether there was one to move to. */
export function stepEvidence(step) {
  const buttons = [...byId("rail").querySelectorAll(".card .open")];
  if (!buttons.length) return false;
  const here = buttons.findIndex((button) => button.closest(".card").contains(document.activeElement));
  const next = buttons[Math.max(0, Math.min(buttons.length - 1, here + step))] ?? buttons[0];
  next.focus();
  next.closest(".card").scrollIntoView({ block: "nearest" });
  return true;
}
