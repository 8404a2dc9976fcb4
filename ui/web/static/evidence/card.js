// One piece of evidence as a card: what it looks like with the place marked, where it is, why it was found.

import { app } from "../app.js";
import { clip, frame, still } from "../common/api.js";
import { clock, h, iconButton, languageName, marked } from "../common/dom.js";

export const SMALL = 640;

/** Marks over a page or picture, placed by fractions of it. */
export function spots(boxes, region) {
  return boxes.map(([x0, y0, x1, y1]) => {
    const spot = h("span", { class: region ? "spot region" : "spot" });
    Object.assign(spot.style, { left: `${100 * x0}%`, top: `${100 * y0}%`, width: `${100 * (x1 - x0)}%`, height: `${100 * (y1 - y0)}%` });
    return spot;
  });
}

/** Whether the person at this computer wants things to move by themselves. */
export const moves = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;

export function placeOf(card) {
  return [card.name, card.place].filter(Boolean).join(", ");
}

/** A page, moved and enlarged so that the marks fill the face as far as that can still be read. */
function pageFace(card) {
  const image = h("img", { src: still(app.index, card.asset, card.page, SMALL), alt: `${placeOf(card)}${card.boxes.length ? ", the passage found is marked" : ""}`, loading: "lazy" });
  const sheet = h("span", { class: "sheet" }, image, spots(card.boxes, false));
  const face = h("span", { class: "face" }, sheet);
  image.addEventListener("load", () => aim(sheet, face, card.boxes));
  image.addEventListener("error", () => face.remove());
  return face;
}

function aim(sheet, face, boxes) {
  if (!boxes.length) return;
  const left = Math.min(...boxes.map((box) => box[0]));
  const right = Math.max(...boxes.map((box) => box[2]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const scale = Math.max(1, Math.min(1.7, 0.92 / (right - left)));
  sheet.style.width = `${100 * scale}%`;
  const roomX = sheet.offsetWidth - face.offsetWidth;
  const roomY = Math.max(0, sheet.offsetHeight - face.offsetHeight);
  sheet.style.left = `${-Math.max(0, Math.min(roomX, ((left + right) / 2) * sheet.offsetWidth - face.offsetWidth / 2))}px`;
  sheet.style.top = `${-Math.max(0, Math.min(roomY, top * sheet.offsetHeight - 34))}px`;
}

function pictureFace(card) {
  const image = h("img", { src: still(app.index, card.asset, card.page, SMALL), alt: card.title || card.name, loading: "lazy" });
  const fitted = card.boxes.length ? h("span", { class: "sheet fit" }, h("span", { class: "framed" }, image, spots(card.boxes, true))) : h("span", { class: "sheet cover" }, image);
  const face = h("span", { class: "face" }, fitted);
  image.addEventListener("error", () => face.remove());
  return face;
}

function videoFace(card) {
  const face = h("span", { class: "face" });
  const image = h("img", { src: frame(app.index, card.asset, card.frame ?? card.start, SMALL), alt: `${card.name} at ${clock(card.start ?? 0)}`, loading: "lazy" });
  image.addEventListener("error", () => face.remove());
  face.append(h("span", { class: "sheet cover" }, image), h("span", { class: "when" }, card.place));
  if (card.playable) face.append(iconButton("play", `Play ${card.name} from ${clock(card.start ?? 0)}`, () => play(face, card), { class: "icon play" }));
  return face;
}

function play(face, card) {
  const video = h("video", { controls: true, muted: true, autoplay: true, playsInline: true, src: clip(app.index, card.asset, card.start), "aria-label": placeOf(card) });
  face.replaceChildren(video);
  video.focus();
}

const FACES = { page: pageFace, picture: pictureFace, video: videoFace };

function reasons(card) {
  const language = card.language && card.language !== navigator.language.slice(0, 2) ? [languageName(card.language)] : [];
  return [...(card.why ?? []), ...language].join(" · ");
}

export function meter(score) {
  const fill = h("i");
  fill.style.width = `${Math.round(100 * score)}%`;
  return h("span", { class: "meter", role: "img", "aria-label": `Match ${Math.round(100 * score)} of 100`, title: `Match ${Math.round(100 * score)} of 100` }, fill);
}

/** The card; `actions` are buttons at its foot. */
export function drawCard(card, { onopen, actions = [], numbered = true }) {
  const label = h("span", { class: "label" }, h("bdi", {}, card.name), card.place ? h("span", {}, `, ${card.place}`) : null);
  const open = h("button", { type: "button", class: "open", onclick: onopen }, numbered ? [h("span", { class: "num" }, String(card.n)), " "] : null, label);
  return h("article", { class: "card", id: numbered ? `evidence-${card.n}` : null, "data-id": card.id, "aria-label": placeOf(card), onclick: (event) => openByPointer(event, open) },
    FACES[card.look]?.(card) ?? null,
    h("div", { class: "body" },
      open,
      card.snippet ? h("p", { class: "snippet", dir: "auto", lang: card.language || null }, marked(card.snippet, card.words ?? [])) : null,
      reasons(card) ? h("p", { class: "why" }, reasons(card)) : null,
      h("div", { class: "acts" }, actions, meter(card.score ?? 0))));
}

/** A click anywhere on a card opens it, but for one that plays, acts, or marks words to copy. */
function openByPointer(event, open) {
  if (event.target.closest("button, a, video") || !getSelection().isCollapsed) return;
  open.focus();
  open.click();
}
