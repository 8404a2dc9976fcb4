// The page as a whole: which view is shown, what is known of the index, and the keys.

import { get } from "./common/api.js";
import { byId, h, icon } from "./common/dom.js";
import { startChat } from "./ask/chat.js";
import { startComposer } from "./ask/composer.js";
import { drawSide } from "./ask/side.js";
import { drawRail, stepEvidence, toggleRail } from "./ask/rail.js";
import { showReading, showStart } from "./library/start.js";
import { openLibrary, leaveLibrary } from "./library/view.js";
import { leaveEvaluation, openEvaluation } from "./evaluation/view.js";
import { watchJob } from "./library/job.js";
import { remember, remembered } from "./common/remembered.js";

/** What all parts of the page share. */
export const app = { index: "", mode: "extractive", state: {}, conversation: "", busy: null };

const VIEWS = [
  { id: "ask", label: "Ask", enter: () => {}, leave: () => {} },
  { id: "library", label: "Library", enter: openLibrary, leave: leaveLibrary },
  { id: "evaluation", label: "Evaluation", enter: openEvaluation, leave: leaveEvaluation },
];

const MOST_LOOKS = 100;
let looks = 0;

export function show(view) {
  const before = document.body.dataset.view;
  VIEWS.find(({ id }) => id === before)?.leave();
  document.body.dataset.view = view;
  for (const section of document.querySelectorAll(".view")) section.hidden = section.id !== `view-${view}`;
  for (const { id } of VIEWS) {
    const tab = byId(`tab-${id}`);
    tab.setAttribute("aria-selected", String(id === view));
    tab.tabIndex = id === view ? 0 : -1;
  }
  const inAsk = view === "ask";
  byId("side-toggle").disabled = !inAsk;
  byId("rail-toggle").hidden = !inAsk;
  VIEWS.find(({ id }) => id === view)?.enter();
}

function drawBar() {
  const tabs = VIEWS.map(({ id, label }) =>
    h("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `view-${id}`, onclick: () => show(id) }, label));
  byId("tabs").replaceChildren(...tabs);
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const here = VIEWS.findIndex(({ id }) => id === document.body.dataset.view);
    const next = VIEWS[(here + step + VIEWS.length) % VIEWS.length].id;
    show(next);
    byId(`tab-${next}`).focus();
  });
  const side = byId("side-toggle");
  side.append(icon("menu"));
  side.addEventListener("click", () => toggleSide());
  const rail = byId("rail-toggle");
  rail.append(icon("rail"));
  rail.addEventListener("click", () => toggleRail());
}

export function toggleSide(open) {
  const held = byId("side").contains(document.activeElement);
  const opened = byId("side").classList.toggle("open", open);
  if (held && !opened) byId("side-toggle").focus();
  byId("side-toggle").setAttribute("aria-expanded", String(opened));
  if (opened) drawSide();
}

/** Ask the server for what it knows of the index; draw what depends on it. */
export async function refresh() {
  app.state = await get(`/api/state?index=${encodeURIComponent(app.index)}`);
  app.index = app.state.index;
  const modes = new Set(["extractive", ...(app.state.model ? ["direct", "agent"] : [])]);
  if (!modes.has(app.mode)) app.mode = "extractive";
  remember({ index: app.index, mode: app.mode });
  document.dispatchEvent(new CustomEvent("state"));
  if (app.state.job?.running) watchJob();
  // Right after the start the server still looks through the files: their kinds and names come a moment later.
  const incomplete = app.state.ready && !app.state.complete && !app.state.job.running;
  looks = incomplete ? looks + 1 : 0;
  if (looks > 0 && looks < MOST_LOOKS) setTimeout(() => refresh().catch(() => {}), 700);
  return app.state;
}

function isTyping(target) {
  return target.matches("input, textarea, select, [contenteditable]");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    toggleRail(false);
    if (matchMedia("(max-width: 1080px)").matches) toggleSide(false);
    return;
  }
  if (isTyping(event.target) || document.body.dataset.view !== "ask") return;
  if (event.key === "/") {
    event.preventDefault();
    byId("question").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (stepEvidence(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
  }
}

/** Where this tab was before, unless the server was started with another index since. */
async function returned() {
  app.index = remembered.index ?? "";
  app.mode = remembered.mode ?? app.mode;
  const state = await refresh();
  const same = [undefined, state.started_with].includes(remembered.startedWith);
  remember({ startedWith: state.started_with });
  if (same) return remembered;
  app.index = state.started_with;
  await refresh();
  return { draft: remembered.draft || remembered.asking };
}

async function start() {
  drawBar();
  document.addEventListener("keydown", onKey);
  byId("thread").addEventListener("click", (event) => {
    if (matchMedia("(max-width: 1080px)").matches && !event.target.closest("a, button, summary")) toggleSide(false);
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    const { view } = document.body.dataset;
    (view === "ask" ? byId("question") : byId(`view-${view}`).querySelector("input, button, summary"))?.focus();
  });
  drawRail([]);
  let before;
  try {
    before = await returned();
  } catch (error) {
    byId("view-start").hidden = false;
    byId("view-start").replaceChildren(h("div", { class: "start" }, h("h2", { id: "start-title" }, "This page cannot be shown"), h("p", { class: "failure", role: "alert" }, error.message)));
    return;
  }
  if (app.state.ready || app.state.error) show("ask");
  else if (app.state.job?.running) showReading(app.state.job);
  else showStart();
  startComposer(before);
  await startChat(before.conversation);
  document.body.dataset.ready = "yes";
}

start();
