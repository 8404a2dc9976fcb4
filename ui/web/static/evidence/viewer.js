// A piece of evidence, large: a page with zoom and its neighbours, a photo, a clip from its second, or a text.

import { get, placesOf, still } from "../common/api.js";
import { as, byId, failure, firstIfThere, h, iconButton, redraw } from "../common/dom.js";
import { app, known, railOpen, similar, viewed } from "../common/state.js";
import { languageName } from "../common/words.js";
import { moves, placeOf, player, sourceOf, spots } from "./card.js";
import { openHere } from "./open.js";

/** @import { Card, Citation, Place } from "../common/types.js" */

/**
 * A place as it is shown: `card` is the one at `at`, with the place of the citation where that is narrower.
 * @typedef {object} Shown
 * @property {Card[]} cards
 * @property {number} at
 * @property {Card} card
 * @property {Citation | undefined} citation
 * @property {number} page
 * @property {number} zoom
 */

const LARGE = 1600;
const ZOOMED = 3200;
const STEPS = [0.5, 0.75, 1, 1.5, 2, 3];
const AROUND = 3;
const MISSING =
  "This cannot be shown: the file was moved or changed since it was read. Update the index in the library.";
const UNPLAYABLE = "This browser does not play this kind of clip: here is the moment as a picture.";

/** @type {Shown | null} */
let shown = null;

const dialog = () => as(HTMLDialogElement, byId("viewer"));

/** Show whatever place is to be viewed. */
export function startViewer() {
  viewed.listen((place) => {
    if (!place) return;
    const { cards, number, citation } = place;
    show(cards, Math.max(0, cards.findIndex(({ n }) => n === number)), citation);
    if (!dialog().open) dialog().showModal();
  });
  dialog().addEventListener("keydown", onKey);
  dialog().addEventListener("close", () => dialog().replaceChildren());
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const view = shown;
  if (!view || as(Element, event.target).matches("video, audio, input")) return;
  /** @type {Record<string, () => void>} */
  const acts = {
    ArrowLeft: () => stepPage(view, -1),
    ArrowRight: () => stepPage(view, 1),
    "+": () => zoom(view, 1),
    "-": () => zoom(view, -1),
    PageDown: () => stepCard(view, 1),
    PageUp: () => stepCard(view, -1),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {Card[]} cards
 * @param {number} at
 * @param {Citation} [citation]
 */
function show(cards, at, citation) {
  const card = cards[at];
  if (!card) return;
  const narrower = citation ? narrowed(card, citation) : card;
  shown = { cards, at, card: narrower, citation, page: narrower.page ?? 1, zoom: 1 };
  draw(shown);
}

/**
 * A citation is narrower than the place that was found: its own boxes are marked.
 * @param {Card} card
 * @param {Citation} citation
 */
function narrowed(card, citation) {
  const { boxes, page, start, place } = citation;
  if (!boxes?.length && !page && start === null) return card;
  return {
    ...card,
    page: page ?? card.page,
    boxes: boxes.length ? boxes : card.boxes,
    start: start ?? card.start,
    place: place || card.place,
  };
}

/**
 * @param {Shown} view
 * @param {number} step
 */
function stepCard(view, step) {
  const next = view.at + step;
  if (next >= 0 && next < view.cards.length) show(view.cards, next);
}

/**
 * @param {Shown} view
 * @param {number} step
 */
function stepPage(view, step) {
  const next = view.page + step;
  if (view.card.look !== "page" || next < 1 || next > (view.card.pages ?? next)) return;
  view.page = next;
  draw(view);
}

/**
 * Larger, smaller or, with no step, as it was.
 * @param {Shown} view
 * @param {number} step
 */
function zoom(view, step) {
  const next = Math.max(0, Math.min(STEPS.length - 1, STEPS.indexOf(view.zoom) + step));
  view.zoom = step === 0 ? 1 : STEPS[next] ?? 1;
  drawStage(view);
}

/** @param {Shown} view */
function pageTools(view) {
  const { card, page } = view;
  if (card.look !== "page") return [];
  const last = Boolean(card.pages) && page >= (card.pages ?? 0);
  return [
    iconButton("left", "Previous page", () => stepPage(view, -1), { disabled: page <= 1 }),
    h("span", { class: "page-of" }, card.pages ? `${page} of ${card.pages}` : `page ${page}`),
    iconButton("right", "Next page", () => stepPage(view, 1), { disabled: last }),
    h("span", { class: "gap" }),
  ];
}

/** @param {Shown} view */
function zoomTools(view) {
  if (view.card.look !== "page" && view.card.look !== "picture") return [];
  return [
    iconButton("smaller", "Smaller", () => zoom(view, -1)),
    iconButton("larger", "Larger", () => zoom(view, 1)),
    iconButton("fit", "Fit", () => zoom(view, 0)),
    h("span", { class: "gap" }),
  ];
}

/** @param {Shown} view */
function draw(view) {
  redraw(dialog(), () => drawAll(view), () => byId("stage"));
  // Not every browser gives the focus to what is clicked: keys must go on working.
  if (dialog().open && !dialog().contains(document.activeElement)) byId("stage").focus();
}

/** @param {Shown} view */
function drawAll(view) {
  const { card } = view;
  const place = card.look === "page" ? "" : card.place;
  const title = [h("bdi", {}, card.name), place ? h("span", {}, `, ${place}`) : null];
  const stage = { class: "stage", id: "stage", role: "group", tabindex: "0", "aria-label": "The place itself" };
  dialog().replaceChildren(
    h("div", { class: "viewer-bar" },
      h("h2", { id: "viewer-title", title: placeOf(card) }, title),
      pageTools(view), zoomTools(view),
      iconButton("close", "Close", () => dialog().close(), { class: "icon shut" })),
    h("div", stage),
    h("aside", { class: "about", "aria-label": "About this place", tabindex: "0" }, about(view)));
  drawStage(view);
}

/**
 * A picture with marks, once it is there.
 * @param {Shown} view
 * @param {string} source
 * @param {string} alt
 * @param {number[][]} boxes
 */
function framed(view, source, alt, boxes) {
  const isPage = view.card.look === "page";
  const image = h("img", { src: source, alt });
  const frame = h("div", { class: isPage ? "framed page loading" : "framed loading" }, image);
  const stage = byId("stage");
  image.addEventListener("load", () => {
    frame.style.setProperty("--ratio", String(image.naturalWidth / image.naturalHeight));
    frame.style.setProperty("--zoom", String(view.zoom));
    frame.classList.remove("loading");
    frame.append(...spots(boxes, view.card.look === "picture"));
    const spot = firstIfThere(frame, ".spot");
    if (spot) stage.scrollTop = Math.max(0, spot.offsetTop - stage.clientHeight / 3);
  });
  image.addEventListener("error", () => stage.replaceChildren(failure(MISSING)));
  return frame;
}

/** @param {Shown} view */
function drawStage(view) {
  const { card, page } = view;
  const stage = byId("stage");
  const side = view.zoom > 1 ? ZOOMED : LARGE;
  if (card.look === "page") stage.replaceChildren(framedPage(view, page === (card.page ?? 1) ? card.boxes : [], side));
  else if (card.look === "picture") {
    stage.replaceChildren(framed(view, sourceOf(card, side), card.title || card.name, card.boxes));
  } else if (card.look === "text") drawWords(stage, view);
  else drawPlayer(stage, view);
}

/**
 * @param {Shown} view
 * @param {number[][]} boxes
 * @param {number} side
 */
function framedPage(view, boxes, side) {
  const { card, page } = view;
  const alt = `${card.name}, page ${page}${boxes.length ? ", the passage is marked" : ""}`;
  return framed(view, still(app.index, card.asset, page, side), alt, boxes);
}

/**
 * @param {HTMLElement} stage
 * @param {Shown} view
 */
function drawPlayer(stage, view) {
  const { card } = view;
  const fallback = () => {
    const source = sourceOf(card, LARGE);
    if (!source) return drawWords(stage, view);
    const image = framed(view, source, `${card.name}, a frame of it`, []);
    return stage.replaceChildren(image, h("p", { class: "quiet" }, UNPLAYABLE));
  };
  if (!card.playable) return fallback();
  const video = player(card, { autoplay: moves(), label: `${card.name} from ${card.place}`, id: "clip" });
  video.addEventListener("error", fallback);
  return stage.replaceChildren(video);
}

/**
 * The file's text around the place, the place itself marked.
 * @param {HTMLElement} stage
 * @param {Shown} view
 */
async function drawWords(stage, view) {
  const { card } = view;
  stage.replaceChildren(h("div", { class: "words" }, h("p", { class: "quiet" }, "Reading…")));
  /** @type {Place[]} */
  let pieces = [card];
  try {
    /** @type {Place[]} */
    const places = await get(placesOf(app.index, card.asset));
    const here = Math.max(0, places.findIndex(({ id }) => id === card.id));
    pieces = places.slice(Math.max(0, here - AROUND), here + AROUND + 1);
  } catch {
    // The place itself is known: it is shown without what is around it.
  }
  if (shown !== view) return;
  const quote = view.citation?.quote || "";
  stage.replaceChildren(h("div", { class: "words" }, pieces.map((piece) => drawPiece(piece, card, quote))));
  stage.querySelector("mark")?.scrollIntoView({ block: "center" });
}

/**
 * @param {Place} piece
 * @param {Card} card
 * @param {string} quote
 */
function drawPiece(piece, card, quote) {
  const heading = piece.heading ? h("h3", {}, piece.heading) : null;
  const said = { class: "piece", dir: "auto", lang: piece.language || null };
  return h("div", said, heading, piece.id === card.id ? withQuote(piece.text, quote) : piece.text);
}

/**
 * @param {string} text
 * @param {string} quote
 */
function withQuote(text, quote) {
  const at = quote ? text.indexOf(quote) : -1;
  if (at < 0) return [h("mark", {}, text)];
  return [text.slice(0, at), h("mark", {}, quote), text.slice(at + quote.length)];
}

/** @param {Shown} view */
function about(view) {
  const { card, citation } = view;
  const quote = citation?.quote;
  const unsure = "These words were not found in the text of this place: check them yourself.";
  return [
    view.cards.length > 1 ? steps(view) : null,
    quote ? h("blockquote", { dir: "auto", lang: card.language || null }, quote) : null,
    quote && !citation.verified ? h("p", { class: "quiet" }, unsure) : null,
    facts(card),
    acts(view),
    card.look !== "text" && card.text && card.text !== quote ? text(card) : null,
  ];
}

/** @param {Card} card */
const text = (card) => [
  h("h3", { class: "quiet" }, card.ocr ? "Text read in it" : "Text"),
  h("p", { class: "text", dir: "auto", lang: card.language || null }, card.text),
];

/** @param {Shown} view */
function steps(view) {
  const [isFirst, isLast] = [view.at === 0, view.at === view.cards.length - 1];
  return h("div", { class: "acts" },
    plain("Previous place", () => stepCard(view, -1), isFirst),
    plain("Next place", () => stepCard(view, 1), isLast));
}

/** @param {Card} card */
function facts(card) {
  const facts = [
    ["In", card.folder],
    ["Titled", card.title],
    ["Under", card.heading],
    ["Made", card.made],
    ["At", card.where],
    ["Language", card.language ? languageName(card.language) : ""],
    ["Found by", (card.why ?? []).join(", ")],
  ];
  const told = facts.filter(([, value]) => value);
  return h("dl", {}, told.map(([label, value]) => [h("dt", {}, label), h("dd", { dir: "auto" }, value)]));
}

/** @param {Shown} view */
function acts({ card, citation }) {
  const showSimilar = () => {
    dialog().close();
    similar.set(card);
    railOpen.set(true);
  };
  return h("div", { class: "acts" },
    plain("Show similar", showSimilar),
    known.value.local ? plain("Open on this computer", () => openHere(card, citation?.quote)) : null);
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
const plain = (text, onclick, disabled = false) =>
  h("button", { type: "button", class: "plain", disabled, onclick }, text);
