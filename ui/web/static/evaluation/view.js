// Evaluations of the index: begin one, watch it, look through those that were made, compare two.

import { get, send } from "../common/api.js";
import { all, as, byId, failure, firstIfThere, h, iconButton, ifThere, redraw } from "../common/dom.js";
import { showBar } from "../common/progress.js";
import { prompted } from "../common/prompt.js";
import { app } from "../common/state.js";
import { count, messageOf } from "../common/words.js";
import { drawForm, fieldOf } from "./form.js";
import { drawRun, drawTables } from "./run.js";

/** @import { Listed, Overview, Run, Summary, Table, Work } from "./types.js" */

const EVERY = 700;
const NONE_YET =
  "No evaluation was made yet. It asks questions whose answers are known, and shows how often the right file comes " +
  "first.";
const STOPPED = "Stopped. What was done is kept: go on with it below.";
const MISSING = "could not be had and count as wrong: go on below to try again.";

/** @type {{ opened: string, chosen: Set<string>, watching: number }} */
const view = { opened: "", chosen: new Set(), watching: 0 };

const path = (rest = "") => `/api/evaluation/${encodeURIComponent(app.index)}${rest}`;

/** @returns {Promise<Overview>} */
const overview = () => get(path());

export function openEvaluation() {
  Object.assign(view, { opened: "", chosen: new Set() });
  byId("view-evaluation").replaceChildren(h("div", { class: "library-inner" },
    h("section", { class: "shelf", id: "evaluate", "aria-label": "New evaluation" }),
    h("section", { id: "runs", "aria-label": "Evaluations made" }),
    h("section", { id: "run", "aria-label": "The evaluation chosen" })));
  drawAll();
}

export function leaveEvaluation() {
  view.watching += 1;
  byId("view-evaluation").replaceChildren();
}

/**
 * @param {string} place
 * @param {unknown} error
 */
function failed(place, error) {
  ifThere(place)?.replaceChildren(failure(messageOf(error)));
}

async function drawAll() {
  let told;
  try {
    told = await overview();
  } catch (error) {
    failed("evaluate", error);
    return;
  }
  const place = ifThere("evaluate");
  if (!place) return;
  const title = h("summary", {}, h("h2", {}, "New evaluation"));
  const form = h("details", { open: !told.runs.length }, title, drawForm(told, begin));
  place.replaceChildren(form, h("div", { id: "eval-job" }));
  drawRuns(told);
  drawWork(told.job, told.runs);
  if (told.job.running) watch(told.runs);
}

/** @param {FormData} chosen */
async function begin(chosen) {
  const questions = chosen.get("questions");
  const folder = questions === "other" ? fieldOf("eval-folder").value : questions;
  const systems = chosen.getAll("systems");
  if (questions === "other" && !fieldOf("eval-folder").value.trim()) return fieldOf("eval-folder").focus();
  if (!systems.length) return failed("eval-job", "Choose at least one thing to measure.");
  const made = fieldOf("eval-count").valueAsNumber || 40;
  const how = { model: chosen.get("reader") === "model", unanswerable: chosen.has("unanswerable") };
  return run("start", { index: app.index, folder, count: made, systems, ...how });
}

/**
 * @param {"start" | "go-on"} how
 * @param {object} wanted
 */
async function run(how, wanted) {
  try {
    await send(`/api/evaluation/${how}`, wanted);
    byId("eval-job").replaceChildren();
    const told = await overview();
    drawRuns(told);
    watch(told.runs);
  } catch (error) {
    failed("eval-job", error);
  }
}

/**
 * Tell how far it is until it is done, then open it; `runs` are those known before.
 * @param {Listed[]} runs
 */
async function watch(runs) {
  const mine = ++view.watching;
  try {
    for (;;) {
      /** @type {Work} */
      const work = await get(path("/progress"));
      if (mine !== view.watching) return;
      drawWork(work, runs);
      if (!work.running) break;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
    const told = await overview();
    if (mine !== view.watching) return;
    drawRuns(told);
    drawWork(told.job, told.runs);
    const { about, error, stopped } = told.job;
    if (!error && !stopped && told.runs.some(({ key, summary }) => key === about && summary)) openRun(about);
  } catch (error) {
    failed("eval-job", error);
  }
}

/**
 * @param {Work} work
 * @param {Listed[]} runs
 */
function drawWork(work, runs) {
  as(HTMLButtonElement, byId("eval-start")).disabled = work.running;
  const place = byId("eval-job");
  if (!work.running) return place.replaceChildren(...ending(work, runs));
  const { label, done, total, stopping } = work;
  const words = `${label || "Starting"}${total ? `: ${done} of ${total}` : "…"}`;
  const onstop = () => send(`/api/evaluation/cancel/${encodeURIComponent(app.index)}`, {});
  const share = total ? done / total : 0;
  return showBar(place, { name: "Evaluation", share, words, stopping, stop: "eval-stop", onstop });
}

/**
 * @param {Work} work
 * @param {Listed[]} runs
 */
function ending(work, runs) {
  const kept = runs.some(({ key }) => key === work.about);
  if (work.error) return [failure(work.error)];
  if (work.stopped) return [status(kept ? STOPPED : "Stopped before anything was asked.")];
  if (work.missing && kept) return [failure(`${count(work.missing, "answer")} ${MISSING} ${work.failures[0]}`)];
  return kept ? [status("The evaluation is done.")] : [];
}

/** @param {string} text */
const status = (text) => h("p", { class: "quiet", role: "status" }, text);

/** @param {number | null | undefined} value */
const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);

/** @param {string} stamp */
const when = (stamp) => new Date(stamp).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

/** @param {Overview} told */
function drawRuns(told) {
  const { runs, kept } = told;
  const place = byId("runs");
  if (!runs.length) return place.replaceChildren(h("p", { class: "quiet" }, NONE_YET));
  const onclick = () => compare(runs);
  const button = { type: "button", class: "plain", id: "compare", disabled: view.chosen.size !== 2, onclick };
  const title = h("div", { class: "facts" }, h("h2", {}, "Evaluations"), h("button", button, "Compare"));
  const where = `Kept in ${kept}; haystack-agent eval report RUN writes one as a page.`;
  const table = h("div", { class: "wide" }, drawTable(told));
  const parts = [title, table, kept ? h("p", { class: "quiet" }, where) : ""];
  const otherwise = () => firstIfThere(place, "button:not(:disabled), input");
  return redraw(place, () => place.replaceChildren(...parts), otherwise);
}

/** @param {Overview} told */
function drawTable({ runs, job }) {
  const unseen = (/** @type {string} */ text) => h("span", { class: "unseen" }, text);
  const figures = ["Right file first", "Among the first five", "Answers right"];
  const heads = [unseen("Compare"), "Made", "Questions", ...figures, unseen("Delete")];
  const head = h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)));
  const rows = runs.map((one) => drawRow(one, job.running && job.about === one.key));
  return h("table", { class: "runs" }, h("thead", {}, head), h("tbody", {}, rows));
}

/**
 * @param {Listed} one
 * @param {boolean} going
 */
function drawRow(one, going) {
  const { key, begun, name, reader, summary } = one;
  const here = key === view.opened;
  const asked = `${name}${summary ? `, ${summary.questions}` : ""}`;
  const by = h("small", { class: "quiet" }, ` ${reader === "extractive" ? "quotations" : reader}`);
  const unfinished = !going && (!summary || summary.missing);
  const goOn = unfinished ? [" ", link("Go on", () => run("go-on", { index: app.index, run: key }))] : null;
  return h("tr", { class: here ? "here" : "", "aria-current": String(here), "data-key": key },
    h("td", {}, compareBox(one)),
    h("td", {}, summary ? link(when(begun), () => openRun(key)) : when(begun), goOn),
    h("td", {}, asked, by),
    figures(summary),
    h("td", {}, iconButton("close", `Delete the evaluation of ${when(begun)}`, () => remove(one))));
}

/** @param {Summary | null} summary */
function figures(summary) {
  const values = [summary?.recall_1, summary?.recall_5, summary?.right];
  return values.map((value) => h("td", { class: "figure" }, percent(value)));
}

/** @param {Listed} one */
function compareBox({ key, begun, summary }) {
  const named = { disabled: !summary, "aria-label": `Compare the evaluation of ${when(begun)}` };
  const box = h("input", { type: "checkbox", checked: view.chosen.has(key), ...named });
  box.addEventListener("change", () => {
    if (box.checked) view.chosen.add(key);
    else view.chosen.delete(key);
    as(HTMLButtonElement, byId("compare")).disabled = view.chosen.size !== 2;
  });
  return box;
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
const link = (text, onclick) => h("button", { type: "button", class: "link", onclick }, text);

/** @param {string} key */
function light(key) {
  view.opened = key;
  for (const row of all(byId("runs"), "tr[data-key]")) {
    const here = row.dataset["key"] === key;
    row.classList.toggle("here", here);
    row.setAttribute("aria-current", String(here));
  }
}

/** @param {string} key */
async function openRun(key) {
  light(key);
  byId("run").replaceChildren(h("p", { class: "quiet" }, "Reading…"));
  try {
    /** @type {Run} */
    const told = await get(path(`/run/${key}`));
    if (view.opened === key) ifThere("run")?.replaceChildren(drawRun(told));
  } catch (error) {
    failed("run", error);
  }
}

/** @param {Listed[]} runs */
async function compare(runs) {
  const [first, second] = runs.filter(({ key }) => view.chosen.has(key)).reverse();
  if (!first || !second) return;
  light("");
  try {
    /** @type {{ tables: Table[] }} */
    const { tables } = await get(path(`/compare/${first.key}/${second.key}`));
    const title = h("h2", {}, `${when(first.begun)} against ${when(second.begun)}`);
    byId("run").replaceChildren(title, ...drawTables(tables));
  } catch (error) {
    failed("run", error);
  }
}

/** @param {Listed} one */
async function remove(one) {
  const note = `Its answers and figures of ${when(one.begun)} will be gone for good.`;
  const yes = await prompted({ title: "Delete this evaluation?", note, action: "Delete" });
  if (yes === null) return;
  try {
    await send(path(`/run/${one.key}`), undefined, "DELETE");
    view.chosen.delete(one.key);
    if (view.opened === one.key) byId("run").replaceChildren();
    const told = await overview();
    drawRuns(told);
    drawWork(told.job, told.runs);
  } catch (error) {
    failed("eval-job", error);
  }
}
