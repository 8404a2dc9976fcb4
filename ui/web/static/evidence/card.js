// One piece of evidence as a card: what it looks like with the place marked, where it is, why it was found.

import { clip, frame, still } from "../common/api.js";
import { h, iconButton, marked } from "../common/dom.js";
import { app } from "../common/state.js";
import { languageName } from "../common/words.js";

/** @import { Card, Look } from "../common/types.js" */

export const SMALL = 640;

/**
 * The address of the picture of a place, `side` pixels large; empty for what has none.
 * @param {{
 *   look: Look, asset: string, page: number | null, start?: number | null, frame?: number | null,
 * }} place
 * @param {number} side
 */
export function sourceOf({ look, asset, page, start, frame: at }, side) {
  if (look === "video") return frame(app.index, asset, at ?? start ?? 0, side);
  return look === "page" || look === "picture" ? still(app.index, asset, page, side) : "";
}

/**
 * Plays the file of a place from its second.
 * @param {Card} card
 * @param {{ autoplay: boolean, label: string, id?: string }} how
 */
export function player(card, { autoplay, label, id = "" }) {
  const how = { controls: true, muted: true, autoplay, playsInline: true, id: id || null, "aria-label": label };
  return h("video", { ...how, src: clip(app.index, card.asset, card.start) });
}

/**
 * Marks over a page or picture, placed by fractions of it.
 * @param {number[][]} boxes
 * @param {boolean} region
 */
export function spots(boxes, region) {
  return boxes.map(([x0 = 0, y0 = 0, x1 = 0, y1 = 0]) => {
    const spot = h("span", { class: region ? "spot region" : "spot" });
    const place = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
    for (const [side, share] of Object.entries(place)) spot.style.setProperty(side, `${100 * share}%`);
    return spot;
  });
}

/** Whether the person at this computer wants things to move by themselves. */
export const moves = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {{ name: string, place: string }} card */
export function placeOf(card) {
  return [card.name, card.place].filter(Boolean).join(", ");
}

/**
 * A page, moved and enlarged so that the marks fill the face as far as that can still be read.
 * @param {Card} card
 */
function pageFace(card) {
  const alt = `${placeOf(card)}${card.boxes.length ? ", the passage found is marked" : ""}`;
  const image = h("img", { src: sourceOf(card, SMALL), alt, loading: "lazy" });
  const sheet = h("span", { class: "sheet" }, image, spots(card.boxes, false));
  const face = h("span", { class: "face" }, sheet);
  image.addEventListener("load", () => aim(sheet, face, card.boxes));
  image.addEventListener("error", () => face.remove());
  return face;
}

/**
 * @param {HTMLElement} sheet
 * @param {HTMLElement} face
 * @param {number[][]} boxes
 */
function aim(sheet, face, boxes) {
  if (!boxes.length) return;
  const left = Math.min(...boxes.map(([x0 = 0]) => x0));
  const right = Math.max(...boxes.map(([, , x1 = 0]) => x1));
  const top = Math.min(...boxes.map(([, y0 = 0]) => y0));
  const scale = Math.max(1, Math.min(1.7, 0.92 / (right - left)));
  sheet.style.width = `${100 * scale}%`;
  const roomX = sheet.offsetWidth - face.offsetWidth;
  const roomY = Math.max(0, sheet.offsetHeight - face.offsetHeight);
  const wantedX = ((left + right) / 2) * sheet.offsetWidth - face.offsetWidth / 2;
  sheet.style.left = `${-Math.max(0, Math.min(roomX, wantedX))}px`;
  sheet.style.top = `${-Math.max(0, Math.min(roomY, top * sheet.offsetHeight - 34))}px`;
}

/** @param {Card} card */
function pictureFace(card) {
  const image = h("img", { src: sourceOf(card, SMALL), alt: card.title || card.name, loading: "lazy" });
  const fitted = card.boxes.length
    ? h("span", { class: "sheet fit" }, h("span", { class: "framed" }, image, spots(card.boxes, true)))
    : h("span", { class: "sheet cover" }, image);
  const face = h("span", { class: "face" }, fitted);
  image.addEventListener("error", () => face.remove());
  return face;
}

/** @param {Card} card */
function videoFace(card) {
  const face = h("span", { class: "face" });
  const image = h("img", { src: sourceOf(card, SMALL), alt: placeOf(card), loading: "lazy" });
  image.addEventListener("error", () => face.remove());
  face.append(h("span", { class: "sheet cover" }, image), h("span", { class: "when" }, card.place));
  const label = `Play ${placeOf(card)}`;
  if (card.playable) face.append(iconButton("play", label, () => play(face, card), { class: "icon play" }));
  return face;
}

/**
 * @param {HTMLElement} face
 * @param {Card} card
 */
function play(face, card) {
  const video = player(card, { autoplay: true, label: placeOf(card) });
  face.replaceChildren(video);
  video.focus();
}

const FACES = { page: pageFace, picture: pictureFace, video: videoFace, text: () => null };

/** @param {Card} card */
function reasons(card) {
  const foreign = card.language && card.language !== navigator.language.slice(0, 2);
  return [...(card.why ?? []), ...(foreign ? [languageName(card.language)] : [])].join(" · ");
}

/** @param {number} score */
function meter(score) {
  const percent = Math.round(100 * score);
  const said = `Match ${percent} of 100`;
  const fill = h("i");
  fill.style.width = `${percent}%`;
  return h("span", { class: "meter", role: "img", "aria-label": said, title: said }, fill);
}

/**
 * The card; `actions` are buttons at its foot.
 * @param {Card} card
 * @param {{ onopen: () => void, actions?: HTMLElement[], numbered?: boolean }} how
 */
export function drawCard(card, { onopen, actions = [], numbered = true }) {
  const place = card.place ? h("span", {}, `, ${card.place}`) : null;
  const label = h("span", { class: "label" }, h("bdi", {}, card.name), place);
  const number = numbered ? [h("span", { class: "num" }, String(card.n)), " "] : null;
  const open = h("button", { type: "button", class: "open", onclick: onopen }, number, label);
  const why = reasons(card);
  const named = { id: numbered ? `evidence-${card.n}` : null, "data-id": card.id, "aria-label": placeOf(card) };
  return h("article", { class: "card", ...named, onclick: (event) => openByPointer(event, open) },
    FACES[card.look]?.(card) ?? null,
    h("div", { class: "body" },
      open,
      card.snippet ? snippet(card.snippet, card) : null,
      why ? h("p", { class: "why" }, why) : null,
      h("div", { class: "acts" }, actions, meter(card.score ?? 0))));
}

/**
 * @param {string} text
 * @param {Card} card
 */
function snippet(text, card) {
  return h("p", { class: "snippet", dir: "auto", lang: card.language || null }, marked(text, card.words ?? []));
}

/**
 * A click anywhere on a card opens it, but for one that plays, acts, or marks words to copy.
 * @param {MouseEvent} event
 * @param {HTMLElement} open
 */
function openByPointer(event, open) {
  const inside = event.target instanceof Element && event.target.closest("button, a, video, audio");
  if (inside || !getSelection()?.isCollapsed) return;
  open.focus();
  open.click();
}
