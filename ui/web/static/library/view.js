// The library: what is indexed, what failed and why, everything by date, and plain search.

import { get, placesOf, send } from "../common/api.js";
import { as, byId, failure, first, h, ifThere, redraw } from "../common/dom.js";
import { described, filtersOf } from "../common/filter-values.js";
import { estimated, folderField } from "../common/folder-field.js";
import { app, indexing, known, viewed } from "../common/state.js";
import { count, messageOf } from "../common/words.js";
import { drawCard, SMALL, sourceOf } from "../evidence/card.js";
import { showProgress, watchJob } from "./job.js";

/** @import { Card, Job, Look, Place } from "../common/types.js" */

/**
 * What the index holds.
 * @typedef {object} Coverage
 * @property {string[]} folders
 * @property {number} indexed
 * @property {number} failed
 * @property {number} skipped
 * @property {{ path: string, name: string, state: string, reason: string }[]} problems
 * @property {Job} job
 */

/**
 * A file as it is browsed.
 * @typedef {object} Tile
 * @property {string} asset
 * @property {string} name
 * @property {string} type
 * @property {Look} look
 * @property {string} made
 * @property {number | null} duration
 * @property {string} length In words, as "12 slides"; empty for what has none.
 */

/** @type {Record<string, string>} */
const STATES = { failed: "Failed", skipped: "Skipped", indexed: "In part" };
const NONE_OF_KIND = "Nothing of this kind is in the index. Add a folder above.";
const AHEAD = 600; // pixels below what is seen that are filled too

const shown = { kind: "", next: 0, total: 0, month: "", loading: false, searched: "" };
/** @type {IntersectionObserver | null} */
let watcher = null;
let unheard = () => {};

/** @param {string} name */
function path(name) {
  return `/api/${name}/${encodeURIComponent(app.index)}`;
}

export function openLibrary() {
  byId("view-library").replaceChildren(h("div", { class: "library-inner" },
    h("section", { class: "shelf", id: "shelf", "aria-label": "What is indexed" }),
    h("section", { "aria-label": "Browse" }, seekBar(), h("div", { id: "browse" }), h("div", { id: "browse-end" }))));
  unheard();
  unheard = indexing.listen(onJob);
  drawShelf();
  restart();
}

export function leaveLibrary() {
  unheard();
  watcher?.disconnect();
  byId("view-library").replaceChildren();
}

/** @param {Job} job */
function onJob(job) {
  const place = ifThere("job");
  if (place) showProgress(place, job);
  if (!job.running) {
    drawShelf();
    restart();
  }
}

async function drawShelf() {
  /** @type {Coverage} */
  let told;
  try {
    told = await get(path("library"));
  } catch (error) {
    ifThere("shelf")?.replaceChildren(failure(messageOf(error)));
    return;
  }
  const shelf = ifThere("shelf");
  if (!shelf) return;
  if (told.job.running) watchJob();
  const elsewhere = "Folders are added in a browser on the computer that they are on.";
  const parts = [
    facts(told),
    h("ul", { class: "folders quiet", "aria-label": "Folders" }, told.folders.map((folder) => h("li", {}, folder))),
    known.value.local ? adder() : h("p", { class: "quiet" }, elsewhere),
    h("div", { id: "job" }),
    ...problems(told),
  ];
  redraw(shelf, () => shelf.replaceChildren(...parts), () => byId("update"));
  showProgress(byId("job"), told.job);
}

/** @param {Coverage} told */
function facts({ indexed, failed, skipped, job }) {
  const update = { type: "button", class: "plain", id: "update", disabled: job.running, onclick: () => run({}) };
  return h("div", { class: "facts" },
    h("h2", {}, count(indexed, "file")),
    failed ? h("span", { class: "failure" }, `${failed} failed`) : null,
    skipped ? h("span", { class: "quiet" }, `${skipped} of other kinds`) : null,
    h("div", { class: "acts" }, h("button", update, "Update")));
}

function adder() {
  const [input, list] = folderField("add-folder");
  const note = h("p", { class: "quiet", "aria-live": "polite" });
  input.addEventListener("change", async () => {
    try {
      note.textContent = input.value.trim() ? await estimated(input.value) : "";
    } catch (error) {
      note.textContent = messageOf(error);
    }
  });
  const add = h("button", { class: "plain" }, "Add folder");
  const form = h("form", { class: "adder", autocomplete: "off" }, input, list, add);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) run({ folders: [input.value] });
    else input.focus();
  });
  return h("div", {}, form, note);
}

/** @param {{ folders?: string[], retry?: boolean }} options */
async function run(options) {
  try {
    await send("/api/index/start", { index: app.index, ...options });
    watchJob();
    as(HTMLButtonElement, byId("update")).disabled = true;
  } catch (error) {
    byId("job").replaceChildren(failure(messageOf(error)));
  }
}

/** @param {Coverage} told */
function problems({ problems, failed }) {
  if (!problems.length) return [];
  const rows = problems.map(({ path: whole, name, state, reason }) => {
    const words = h("span", { class: state }, STATES[state] ?? state);
    return h("li", {}, words, h("bdi", { title: whole }, name), h("span", { class: "quiet" }, reason));
  });
  const retry = { type: "button", class: "link", id: "retry", onclick: () => run({ retry: true }) };
  const title = "not read, or not wholly";
  return [h("details", { class: "trouble" },
    h("summary", {}, `${count(problems.length, "file")} ${title}`),
    h("ul", { class: "problems", tabindex: "0", "aria-label": `Files ${title}` }, rows),
    failed ? h("button", retry, "Try the failed ones again") : null)];
}

function seekBar() {
  const named = { placeholder: "Search without a model", "aria-label": "Search the library" };
  const input = h("input", { type: "search", id: "seek", value: shown.searched, ...named });
  const media = [{ value: "", title: "Everything" }, ...known.value.media];
  const kinds = h("div", { class: "kinds", role: "group", "aria-label": "Kind" }, media.map(kindButton));
  const form = h("form", { class: "seek" }, input, kinds);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    shown.searched = input.value.trim();
    restart();
  });
  input.addEventListener("input", () => {
    if (input.value) return;
    shown.searched = "";
    restart();
  });
  return form;
}

/** @param {{ value: string, title: string }} kind */
function kindButton({ value, title }) {
  const onclick = (/** @type {MouseEvent} */ event) => chooseKind(value, as(HTMLElement, event.currentTarget));
  return h("button", { type: "button", "aria-pressed": String(value === shown.kind), onclick }, title);
}

/**
 * @param {string} value
 * @param {HTMLElement} button
 */
function chooseKind(value, button) {
  shown.kind = value;
  const all = button.parentElement?.children ?? [];
  for (const other of all) other.setAttribute("aria-pressed", String(other === button));
  restart();
}

function restart() {
  Object.assign(shown, { next: 0, total: 0, month: "" });
  watcher?.disconnect();
  ifThere("browse")?.replaceChildren();
  if (shown.searched) {
    search();
    return;
  }
  const range = { root: byId("view-library"), rootMargin: `${AHEAD}px` };
  watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), range);
  watcher.observe(byId("browse-end"));
}

async function search() {
  const place = byId("browse");
  // Those above the question are not seen here.
  const filters = filtersOf(shown.kind ? { modalities: [shown.kind] } : {});
  try {
    /** @type {{ cards: Card[] }} */
    const { cards } = await send("/api/search", { index: app.index, text: shown.searched, filters });
    place.replaceChildren(cards.length ? found(cards) : h("p", { class: "quiet" }, nothingIn(described(filters))));
  } catch (error) {
    place.replaceChildren(failure(messageOf(error)));
  }
}

/** @param {Card[]} cards */
function found(cards) {
  const drawn = cards.map((card) => {
    const onopen = () => viewed.set({ cards, number: card.n });
    return drawCard(card, { onopen, numbered: false });
  });
  return h("div", { class: "found" }, drawn);
}

/** @param {string} narrowed */
function nothingIn(narrowed) {
  if (!narrowed) return "Nothing found. Use other words.";
  return `Nothing found in ${narrowed}. Remove a filter, or use other words.`;
}

async function more() {
  if (shown.loading || (shown.next && shown.next >= shown.total)) return;
  shown.loading = true;
  const { kind, next } = shown;
  let stale = false;
  try {
    /** @type {{ tiles: Tile[], total: number }} */
    const { tiles, total } = await get(`${path("browse")}?start=${next}${kind ? `&modality=${kind}` : ""}`);
    if (!ifThere("browse")) return; // the library was left meanwhile
    stale = kind !== shown.kind || next !== shown.next || Boolean(shown.searched);
    if (stale) return;
    shown.total = total;
    shown.next = next + tiles.length;
    for (const tile of tiles) place(tile);
    if (!total) byId("browse").replaceChildren(h("p", { class: "quiet" }, NONE_OF_KIND));
  } catch (error) {
    ifThere("browse")?.append(failure(messageOf(error)));
  } finally {
    shown.loading = false;
    if (stale && !shown.searched) more();
  }
  // What was added may not fill the view: the watcher tells of changes only.
  const end = ifThere("browse-end")?.getBoundingClientRect().top ?? Infinity;
  if (shown.next < shown.total && end < innerHeight + AHEAD) more();
}

/** @param {Tile} tile */
function place(tile) {
  const month = tile.made.slice(0, 7);
  if (month !== shown.month) {
    shown.month = month;
    const name = new Date(`${month}-15`).toLocaleDateString(undefined, { month: "long", year: "numeric" });
    byId("browse").append(h("section", { class: "month" }, h("h3", {}, name), h("div", { class: "tiles" })));
  }
  first(as(HTMLElement, byId("browse").lastElementChild), ".tiles").append(drawTile(tile));
}

/** @param {Tile} tile */
function drawTile(tile) {
  const length = tile.length ? h("span", { class: "when" }, tile.length) : null;
  const pic = h("span", { class: "pic" }, face(tile), length);
  const button = { type: "button", class: "tile", title: tile.name, onclick: () => openTile(tile) };
  return h("button", button, h("bdi", { class: "name" }, tile.name), " ", pic);
}

/** @param {Tile} tile */
function face(tile) {
  const kind = h("span", { class: "kind" }, tile.type);
  const at = Math.min(1, (tile.duration ?? 0) / 2);
  const source = sourceOf({ ...tile, page: 1, frame: at }, SMALL);
  if (!source) return kind;
  const image = h("img", { src: source, alt: "", loading: "lazy" });
  image.addEventListener("error", () => image.replaceWith(kind));
  return image;
}

/** @param {Tile} tile */
async function openTile(tile) {
  try {
    /** @type {Place[]} */
    const places = await get(placesOf(app.index, tile.asset));
    const first = places.find(({ page }) => page === 1) ?? places[0];
    if (!first) return;
    const start = tile.duration ? 0 : null;
    viewed.set({ cards: [{ ...first, n: 1, boxes: [], start, place: "" }], number: 1 });
  } catch (error) {
    byId("browse").prepend(failure(messageOf(error)));
  }
}
