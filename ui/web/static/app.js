// The page as a whole: its parts are started, one of its views is shown, and it is worked with keys.

import { startChat } from "./ask/chat.js";
import { startComposer } from "./ask/composer.js";
import { startFilters } from "./ask/filters.js";
import { startRail, stepEvidence } from "./ask/rail.js";
import { startSide } from "./ask/side.js";
import { all, as, byId, failure, first, firstIfThere, h, icon, narrow } from "./common/dom.js";
import { refresh } from "./common/refresh.js";
import { remember, remembered } from "./common/remembered.js";
import { app, known, railOpen, sideOpen, view } from "./common/state.js";
import { messageOf } from "./common/words.js";
import { leaveEvaluation, openEvaluation } from "./evaluation/view.js";
import { startViewer } from "./evidence/viewer.js";
import { startJobs } from "./library/job.js";
import { showReading, showStart } from "./library/start.js";
import { leaveLibrary, openLibrary } from "./library/view.js";

/** @import { Remembered } from "./common/remembered.js" */

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };
const VIEWS = [
  { id: "ask", label: "Ask", enter: () => {}, leave: () => {} },
  { id: "library", label: "Library", enter: openLibrary, leave: leaveLibrary },
  { id: "evaluation", label: "Evaluation", enter: openEvaluation, leave: leaveEvaluation },
];

/** @param {string} next */
function show(next) {
  const before = document.body.dataset["view"];
  VIEWS.find(({ id }) => id === before)?.leave();
  document.body.dataset["view"] = next;
  for (const section of all(document, ".view")) section.hidden = section.id !== `view-${next}`;
  for (const { id } of VIEWS) {
    const tab = byId(`tab-${id}`);
    tab.setAttribute("aria-selected", String(id === next));
    tab.tabIndex = id === next ? 0 : -1;
  }
  const inAsk = next === "ask";
  as(HTMLButtonElement, byId("side-toggle")).disabled = !inAsk;
  byId("rail-toggle").hidden = !inAsk;
  VIEWS.find(({ id }) => id === next)?.enter();
}

/** @param {(typeof VIEWS)[number]} one */
function tab({ id, label }) {
  const named = { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `view-${id}` };
  return h("button", { ...named, onclick: () => view.set(id) }, label);
}

/** @param {KeyboardEvent} event */
function stepTab(event) {
  const step = STEPS[event.key];
  if (!step) return;
  const here = VIEWS.findIndex(({ id }) => id === view.value);
  const next = VIEWS[(here + step + VIEWS.length) % VIEWS.length];
  if (!next) return;
  view.set(next.id);
  byId(`tab-${next.id}`).focus();
}

function drawBar() {
  byId("tabs").replaceChildren(...VIEWS.map(tab));
  byId("tabs").addEventListener("keydown", stepTab);
  byId("side-toggle").append(icon("menu"));
  byId("side-toggle").addEventListener("click", () => sideOpen.set(!sideOpen.value));
  byId("rail-toggle").append(icon("rail"));
  byId("rail-toggle").addEventListener("click", () => railOpen.set(!railOpen.value));
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.matches("input, textarea, select, [contenteditable]");
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    railOpen.set(false);
    if (narrow()) sideOpen.set(false);
    return;
  }
  if (isTyping(event.target) || view.value !== "ask") return;
  if (event.key === "/") {
    event.preventDefault();
    byId("question").focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (stepEvidence(event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
  }
}

/** The link for those who do not want to walk through the bar. */
function skip() {
  const place = view.value === "ask" ? null : firstIfThere(byId(`view-${view.value}`), "input, button, summary");
  (view.value === "ask" ? byId("question") : place)?.focus();
}

/** @param {MouseEvent} event */
function onThread(event) {
  const pressed = event.target instanceof Element && event.target.closest("a, button, summary");
  if (narrow() && !pressed) sideOpen.set(false);
}

/**
 * Where this tab was before, unless the server was started with another index since.
 * @returns {Promise<Remembered>}
 */
async function returned() {
  app.index = remembered.index ?? "";
  app.mode = remembered.mode ?? app.mode;
  const state = await refresh();
  const same = [undefined, state.started_with].includes(remembered.startedWith);
  remember({ startedWith: state.started_with });
  if (same) return remembered;
  app.index = state.started_with;
  await refresh();
  return { draft: remembered.draft || remembered.asking || "" };
}

/** @param {unknown} error */
function sayLost(error) {
  const title = h("h2", { id: "start-title" }, "This page cannot be shown");
  byId("view-start").hidden = false;
  byId("view-start").replaceChildren(h("div", { class: "start" }, title, failure(messageOf(error))));
}

function showFirst() {
  const { ready, error, job } = known.value;
  if (ready || error) view.set("ask");
  else if (job?.running) showReading(job);
  else showStart();
}

async function start() {
  drawBar();
  view.listen(show);
  startJobs();
  startRail();
  startSide();
  startViewer();
  document.addEventListener("keydown", onKey);
  byId("thread").addEventListener("click", onThread);
  first(document, ".skip").addEventListener("click", (event) => {
    event.preventDefault();
    skip();
  });
  let before;
  try {
    before = await returned();
  } catch (error) {
    sayLost(error);
    return;
  }
  showFirst();
  startComposer(before.draft);
  startFilters(before.filters);
  await startChat(before.conversation);
  document.body.dataset["ready"] = "yes";
}

start();
