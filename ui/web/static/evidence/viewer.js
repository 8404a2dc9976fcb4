// A piece of evidence, large: a page with zoom and its neighbours, a photo, a clip from its second, or a text.

import { clip, frame, get, still } from "../common/api.js";
import { app } from "../app.js";
import { moves, placeOf, spots } from "./card.js";
import { byId, h, iconButton, languageName, redraw } from "../common/dom.js";
import { openHere, showSimilar, toggleRail } from "../ask/rail.js";

const LARGE = 1600;
const ZOOMED = 3200;
const STEPS = [0.5, 0.75, 1, 1.5, 2, 3];
const view = { cards: [], at: 0, card: null, page: 1, zoom: 1, citation: null };

export function openEvidence(cards, number, citation) {
  view.cards = cards;
  view.at = Math.max(0, cards.findIndex(({ n }) => n === number));
  showCard(citation);
  const dialog = byId("viewer");
  if (!dialog.open) dialog.showModal();
}

function showCard(citation) {
  const card = view.cards[view.at];
  // A citation is narrower than the place that was found: its own boxes are marked.
  const narrower = citation && (citation.boxes?.length || citation.page || citation.start !== null);
  view.card = narrower ? { ...card, page: citation.page ?? card.page, boxes: citation.boxes.length ? citation.boxes : card.boxes, start: citation.start ?? card.start, place: citation.place || card.place } : card;
  view.citation = citation;
  view.page = view.card.page ?? 1;
  view.zoom = 1;
  draw();
}

function stepCard(step) {
  const next = view.at + step;
  if (next < 0 || next >= view.cards.length) return;
  view.at = next;
  showCard();
}

function stepPage(step) {
  const next = view.page + step;
  if (view.card.look !== "page" || next < 1 || next > (view.card.pages ?? next)) return;
  view.page = next;
  draw();
}

function zoom(step) {
  const here = STEPS.indexOf(view.zoom);
  view.zoom = step === 0 ? 1 : STEPS[Math.max(0, Math.min(STEPS.length - 1, here + step))];
  drawStage();
}

function pageTools() {
  const { card, page } = view;
  if (card.look !== "page") return [];
  return [
    iconButton("left", "Previous page", () => stepPage(-1), { disabled: page <= 1 }),
    h("span", { class: "page-of" }, card.pages ? `${page} of ${card.pages}` : `page ${page}`),
    iconButton("right", "Next page", () => stepPage(1), { disabled: Boolean(card.pages) && page >= card.pages }),
    h("span", { class: "gap" }),
  ];
}

function zoomTools() {
  if (view.card.look !== "page" && view.card.look !== "picture") return [];
  return [
    iconButton("smaller", "Smaller", () => zoom(-1)),
    iconButton("larger", "Larger", () => zoom(1)),
    iconButton("fit", "Fit", () => zoom(0)),
    h("span", { class: "gap" }),
  ];
}

function draw() {
  const dialog = byId("viewer");
  redraw(dialog, drawAll, () => byId("stage"));
  // Not every browser gives the focus to what is clicked: keys must go on working.
  if (dialog.open && !dialog.contains(document.activeElement)) byId("stage").focus();
}

function drawAll() {
  const { card } = view;
  const place = card.look === "page" ? "" : card.place;
  byId("viewer").replaceChildren(
    h("div", { class: "viewer-bar" },
      h("h2", { id: "viewer-title", title: placeOf(card) }, h("bdi", {}, card.name), place ? h("span", {}, `, ${place}`) : null),
      pageTools(), zoomTools(),
      iconButton("close", "Close", () => byId("viewer").close(), { class: "icon shut" })),
    h("div", { class: "stage", id: "stage", role: "group", tabindex: "0", "aria-label": "The place itself" }),
    h("aside", { class: "about", "aria-label": "About this place", tabindex: "0" }, about()));
  drawStage();
}

function framed(source, alt, boxes, region) {
  const image = h("img", { src: source, alt });
  const frame = h("div", { class: view.card.look === "page" ? "framed page loading" : "framed loading" }, image);
  const stage = byId("stage");
  image.addEventListener("load", () => {
    frame.style.setProperty("--ratio", image.naturalWidth / image.naturalHeight);
    frame.style.setProperty("--zoom", view.zoom);
    frame.classList.remove("loading");
    frame.append(...spots(boxes, region));
    const first = frame.querySelector(".spot");
    if (first) stage.scrollTop = Math.max(0, first.offsetTop - stage.clientHeight / 3);
  });
  image.addEventListener("error", () => sayMissing());
  return frame;
}

function sayMissing() {
  byId("stage").replaceChildren(h("p", { class: "failure", role: "alert" }, "This cannot be shown: the file was moved or changed since it was read. Update the index in the library."));
}

function drawStage() {
  const { card, page, zoom } = view;
  const stage = byId("stage");
  const boxes = page === (card.page ?? 1) ? card.boxes : [];
  const side = zoom > 1 ? ZOOMED : LARGE;
  if (card.look === "page") stage.replaceChildren(framed(still(app.index, card.asset, page, side), `${card.name}, page ${page}${boxes.length ? ", the passage is marked" : ""}`, boxes, false));
  else if (card.look === "picture") stage.replaceChildren(framed(still(app.index, card.asset, card.page, side), card.title || card.name, boxes, true));
  else if (card.look === "video") drawVideo(stage, card);
  else drawWords(stage, card);
}

function drawVideo(stage, card) {
  const fallback = () => stage.replaceChildren(framed(frame(app.index, card.asset, card.frame ?? card.start, LARGE), `${card.name}, a frame of it`, [], false), h("p", { class: "quiet" }, "This browser does not play this kind of clip: here is the moment as a picture."));
  if (!card.playable) return fallback();
  const video = h("video", { id: "clip", controls: true, muted: true, autoplay: moves(), playsInline: true, src: clip(app.index, card.asset, card.start), "aria-label": `${card.name} from ${card.place}` });
  video.addEventListener("error", fallback);
  return stage.replaceChildren(video);
}

/** The file's text around the place, the place itself marked. */
async function drawWords(stage, card) {
  stage.replaceChildren(h("div", { class: "words" }, h("p", { class: "quiet" }, "Reading…")));
  let pieces = [card];
  try {
    const all = await get(`/api/places/${encodeURIComponent(app.index)}/${card.asset}`);
    const here = Math.max(0, all.findIndex(({ id }) => id === card.id));
    pieces = all.slice(Math.max(0, here - 3), here + 4);
  } catch {
    // The place itself is known: it is shown without what is around it.
  }
  if (view.card !== card) return;
  const quote = view.citation?.quote || "";
  const shown = pieces.map((piece) => h("div", { class: "piece", dir: "auto", lang: piece.language || null }, piece.heading ? h("h3", {}, piece.heading) : null, withQuote(piece, card, quote)));
  stage.replaceChildren(h("div", { class: "words" }, shown));
  stage.querySelector("mark")?.scrollIntoView({ block: "center" });
}

function withQuote(piece, card, quote) {
  if (piece.id !== card.id) return [piece.text];
  const at = quote ? piece.text.indexOf(quote) : -1;
  if (at < 0) return [h("mark", {}, piece.text)];
  return [piece.text.slice(0, at), h("mark", {}, quote), piece.text.slice(at + quote.length)];
}

function about() {
  const { card, citation } = view;
  const facts = [["In", card.folder], ["Titled", card.title], ["Under", card.heading], ["Made", card.made], ["At", card.where], ["Language", card.language ? languageName(card.language) : ""], ["Found by", (card.why ?? []).join(", ")]];
  const many = view.cards.length > 1;
  return [
    many ? h("div", { class: "acts" },
      h("button", { type: "button", class: "plain", disabled: view.at === 0, onclick: () => stepCard(-1) }, "Previous place"),
      h("button", { type: "button", class: "plain", disabled: view.at === view.cards.length - 1, onclick: () => stepCard(1) }, "Next place")) : null,
    citation?.quote ? h("blockquote", { dir: "auto", lang: card.language || null }, citation.quote) : null,
    citation?.quote && !citation.verified ? h("p", { class: "quiet" }, "These words were not found in the text of this place: check them yourself.") : null,
    h("dl", {}, facts.filter(([, value]) => value).map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)])),
    h("div", { class: "acts" },
      h("button", { type: "button", class: "plain", onclick: () => { byId("viewer").close(); showSimilar(card); toggleRail(true); } }, "Show similar"),
      app.state.local ? h("button", { type: "button", class: "plain", onclick: () => openHere(card, citation?.quote) }, "Open on this computer") : null),
    card.text && card.look !== "text" && card.text !== citation?.quote ? [h("h3", { class: "quiet" }, card.ocr ? "Text read in it" : "Text"), h("p", { class: "text", dir: "auto", lang: card.language || null }, card.text)] : null,
  ].flat(2).filter(Boolean);
}

byId("viewer").addEventListener("keydown", (event) => {
  if (event.target.matches("video, input")) return;
  const acts = { ArrowLeft: () => stepPage(-1), ArrowRight: () => stepPage(1), "+": () => zoom(1), "-": () => zoom(-1), PageDown: () => stepCard(1), PageUp: () => stepCard(-1) };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
});
byId("viewer").addEventListener("close", () => byId("viewer").replaceChildren());
