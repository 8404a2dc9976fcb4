// The library: what is indexed, what failed and why, everything by date, and plain search.

import { frame, get, send, still } from "../common/api.js";
import { app } from "../app.js";
import { drawCard, SMALL } from "../evidence/card.js";
import { byId, clock, count, h, redraw } from "../common/dom.js";
import { described, filtersOf } from "../ask/filters.js";
import { showProgress, watchJob } from "./job.js";
import { estimated, folderField } from "./start.js";
import { openEvidence } from "../evidence/viewer.js";

const KINDS = [["", "Everything"], ["document", "Documents"], ["image", "Photos"], ["video", "Videos"]];
const shown = { kind: "", next: 0, total: 0, month: "", loading: false, searched: "" };
let watcher = null;

function path(name) {
  return `/api/${name}/${encodeURIComponent(app.index)}`;
}

export function openLibrary() {
  byId("view-library").replaceChildren(h("div", { class: "library-inner" },
    h("section", { class: "shelf", id: "shelf", "aria-label": "What is indexed" }),
    h("section", { "aria-label": "Browse" }, seekBar(), h("div", { id: "browse" }), h("div", { id: "browse-end" }))));
  document.addEventListener("job", onJob);
  drawShelf();
  restart();
}

export function leaveLibrary() {
  document.removeEventListener("job", onJob);
  watcher?.disconnect();
  byId("view-library").replaceChildren();
}

function onJob() {
  const place = byId("job");
  if (place) showProgress(place, app.job);
  if (!app.job.running) {
    drawShelf();
    restart();
  }
}

async function drawShelf() {
  let told;
  try {
    told = await get(path("library"));
  } catch (error) {
    byId("shelf")?.replaceChildren(h("p", { class: "failure", role: "alert" }, error.message));
    return;
  }
  const shelf = byId("shelf");
  if (!shelf) return;
  if (told.job.running) watchJob();
  const facts = h("div", { class: "facts" },
    h("h2", {}, count(told.indexed, "file")),
    told.failed ? h("span", { class: "failure" }, `${told.failed} failed`) : null,
    told.skipped ? h("span", { class: "quiet" }, `${told.skipped} of other kinds`) : null,
    h("div", { class: "acts" }, h("button", { type: "button", class: "plain", id: "update", disabled: told.job.running, onclick: () => run({}) }, "Update")));
  const parts = [facts,
    h("ul", { class: "folders quiet", "aria-label": "Folders" }, told.folders.map((folder) => h("li", {}, folder))),
    app.state.local ? adder() : h("p", { class: "quiet" }, "Folders are added in a browser on the computer that they are on."),
    h("div", { id: "job" }),
    ...problems(told)];
  redraw(shelf, () => shelf.replaceChildren(...parts), () => byId("update"));
  showProgress(byId("job"), told.job);
}

function adder() {
  const [input, list] = folderField("add-folder");
  const note = h("p", { class: "quiet", "aria-live": "polite" });
  input.addEventListener("change", async () => {
    try {
      note.textContent = input.value.trim() ? (await estimated(input.value)).text : "";
    } catch (error) {
      note.textContent = error.message;
    }
  });
  const form = h("form", { class: "adder", autocomplete: "off" }, input, list, h("button", { class: "plain" }, "Add folder"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) run({ folders: [input.value] });
    else input.focus();
  });
  return h("div", {}, form, note);
}

async function run(options) {
  try {
    await send("/api/index/start", { index: app.index, ...options });
    watchJob();
    byId("update").disabled = true;
  } catch (error) {
    byId("job").replaceChildren(h("p", { class: "failure", role: "alert" }, error.message));
  }
}

function problems(told) {
  if (!told.problems.length) return [];
  const words = { failed: "Failed", skipped: "Skipped", indexed: "In part" };
  const rows = told.problems.map(({ path: whole, name, state, reason }) =>
    h("li", {}, h("span", { class: state }, words[state] ?? state), h("bdi", { title: whole }, name), h("span", { class: "quiet" }, reason)));
  const retry = told.failed ? h("button", { type: "button", class: "link", id: "retry", onclick: () => run({ retry: true }) }, "Try the failed ones again") : null;
  return [h("details", { class: "trouble" }, h("summary", {}, `${count(told.problems.length, "file")} not read, or not wholly`), h("ul", { class: "problems", tabindex: "0", "aria-label": "Files not read, or not wholly" }, rows), retry)];
}

function seekBar() {
  const input = h("input", { type: "search", id: "seek", value: shown.searched, placeholder: "Search without a model", "aria-label": "Search the library" });
  const form = h("form", { class: "seek" }, input, h("div", { class: "kinds", role: "group", "aria-label": "Kind" }, KINDS.map(([value, label]) =>
    h("button", { type: "button", "aria-pressed": String(value === shown.kind), onclick: (event) => chooseKind(value, event.currentTarget) }, label))));
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

function chooseKind(value, button) {
  shown.kind = value;
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
  restart();
}

function restart() {
  Object.assign(shown, { next: 0, total: 0, month: "" });
  watcher?.disconnect();
  byId("browse")?.replaceChildren();
  if (shown.searched) return search();
  watcher = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), { root: byId("view-library"), rootMargin: "600px" });
  watcher.observe(byId("browse-end"));
  return undefined;
}

async function search() {
  const place = byId("browse");
  const filters = filtersOf(shown.kind ? { modalities: [shown.kind] } : {}); // those above the question are not seen here
  try {
    const { cards } = await send("/api/search", { index: app.index, text: shown.searched, filters });
    const drawn = cards.map((card) => drawCard(card, { onopen: () => openEvidence(cards, card.n), numbered: false }));
    const narrowed = described(filters);
    place.replaceChildren(cards.length ? h("div", { class: "found" }, drawn) : h("p", { class: "quiet" }, narrowed ? `Nothing found in ${narrowed}. Remove a filter, or use other words.` : "Nothing found. Use other words."));
  } catch (error) {
    place.replaceChildren(h("p", { class: "failure", role: "alert" }, error.message));
  }
}

async function more() {
  if (shown.loading || (shown.next && shown.next >= shown.total)) return undefined;
  shown.loading = true;
  const { kind, next } = shown;
  let stale = false;
  try {
    const { tiles, total } = await get(`${path("browse")}?start=${next}${kind ? `&modality=${kind}` : ""}`);
    stale = kind !== shown.kind || next !== shown.next || Boolean(shown.searched);
    if (stale) return undefined;
    shown.total = total;
    shown.next = next + tiles.length;
    for (const tile of tiles) place(tile);
    if (!total) byId("browse").replaceChildren(h("p", { class: "quiet" }, "Nothing of this kind is in the index. Add a folder above."));
  } catch (error) {
    byId("browse").append(h("p", { class: "failure", role: "alert" }, error.message));
  } finally {
    shown.loading = false;
    if (stale && !shown.searched) more();
  }
  // What was added may not fill the view: the watcher tells of changes only.
  if (shown.next < shown.total && byId("browse-end").getBoundingClientRect().top < innerHeight + 600) more();
  return undefined;
}

function place(tile) {
  const month = tile.made.slice(0, 7);
  if (month !== shown.month) {
    shown.month = month;
    const name = new Date(`${month}-15`).toLocaleDateString(undefined, { month: "long", year: "numeric" });
    byId("browse").append(h("section", { class: "month" }, h("h3", {}, name), h("div", { class: "tiles" })));
  }
  byId("browse").lastElementChild.querySelector(".tiles").append(drawTile(tile));
}

function drawTile(tile) {
  const kind = h("span", { class: "kind" }, tile.type);
  const pic = h("span", { class: "pic" });
  const source = tile.look === "video" ? frame(app.index, tile.asset, Math.min(1, (tile.duration ?? 0) / 2), SMALL) : still(app.index, tile.asset, 1, SMALL);
  if (tile.look !== "text") {
    const image = h("img", { src: source, alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.replaceWith(kind));
    pic.append(image);
  } else pic.append(kind);
  if (tile.duration) pic.append(h("span", { class: "when" }, clock(tile.duration)));
  else if (tile.pages > 1) pic.append(h("span", { class: "when" }, `${tile.pages} ${{ xlsx: "sheets", pptx: "slides" }[tile.type] ?? "pages"}`));
  return h("button", { type: "button", class: "tile", title: tile.name, onclick: () => openTile(tile) }, h("bdi", { class: "name" }, tile.name), " ", pic);
}

async function openTile(tile) {
  try {
    const places = await get(`/api/places/${encodeURIComponent(app.index)}/${tile.asset}`);
    const first = places.find(({ page }) => page === 1) ?? places[0];
    if (first) openEvidence([{ ...first, n: 1, boxes: [], start: tile.look === "video" ? 0 : null, place: "" }], 1);
  } catch (error) {
    byId("browse").prepend(h("p", { class: "failure", role: "alert" }, error.message));
  }
}
