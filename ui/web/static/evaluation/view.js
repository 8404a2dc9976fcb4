// Evaluations of the index: begin one, watch it, look through those that were made, compare two.

import { get, send } from "../common/api.js";
import { app } from "../app.js";
import { ask, byId, count, h, iconButton, redraw } from "../common/dom.js";
import { drawRun, drawTables } from "./run.js";
import { showBar } from "../common/progress.js";
import { folderField } from "../library/start.js";

const EVERY = 700;
const CALLED = {
  ours: ["Search as you have it", "Words, meanings, dates and names together."],
  bm25: ["Words alone", "BM25 over the same places."],
  dense: ["Meaning alone", "The sentence encoder over the same places."],
  rrf: ["Words and meaning by rank", "The usual way of joining the two."],
  uclip: ["Looks alone", "The common space of texts and pictures."],
};
const view = { told: null, opened: "", chosen: new Set(), watching: 0 };

const path = (rest = "") => `/api/evaluation/${encodeURIComponent(app.index)}${rest}`;

export function openEvaluation() {
  Object.assign(view, { told: null, opened: "", chosen: new Set() });
  byId("view-evaluation").replaceChildren(h("div", { class: "library-inner" },
    h("section", { class: "shelf", id: "evaluate", "aria-label": "New evaluation" }),
    h("section", { id: "runs", "aria-label": "Evaluations made" }),
    h("section", { id: "run", "aria-label": "The evaluation chosen" })));
  refreshRuns();
}

export function leaveEvaluation() {
  view.watching += 1;
  byId("view-evaluation").replaceChildren();
}

function failed(place, error) {
  byId(place)?.replaceChildren(h("p", { class: "failure", role: "alert" }, error.message));
}

async function refreshRuns() {
  try {
    view.told = await get(path());
  } catch (error) {
    return failed("evaluate", error);
  }
  if (!byId("evaluate")) return undefined;
  drawForm();
  drawRuns();
  drawJob(view.told.job);
  if (view.told.job.running) watch();
  return undefined;
}

function choice(type, name, value, label, note, options = {}) {
  return h("label", { class: "choice" }, h("input", { type, name, value, ...options }), h("span", {}, label, note ? h("small", {}, note) : null));
}

function questionChoices() {
  const { folders } = view.told;
  const number = h("input", { type: "number", id: "eval-count", min: "5", max: "500", value: "40", "aria-label": "How many questions" });
  number.addEventListener("input", () => (byId("eval-made").checked = true));
  const made = h("div", { class: "choice" },
    h("input", { type: "radio", name: "questions", value: "", id: "eval-made", checked: !folders.length }),
    h("label", { for: "eval-made" }, "Made from your files", h("small", {}, "Easier than those of people: for comparing, not for boasting.")), number);
  const brought = folders.map((folder, place) => choice("radio", "questions", folder, "questions.jsonl", `in ${folder}`, { checked: place === 0 }));
  if (!app.state.local) return [...brought, made];
  const [input, list] = folderField("eval-folder");
  input.setAttribute("aria-label", "Folder with a questions.jsonl");
  input.addEventListener("input", () => (byId("eval-other").checked = true));
  const other = h("div", { class: "choice" }, h("input", { type: "radio", name: "questions", value: "other", id: "eval-other" }), h("label", { for: "eval-other" }, "A questions.jsonl in"), input, list);
  return [...brought, made, other];
}

function drawForm() {
  const { systems, model } = view.told;
  const form = h("form", { class: "evaluate", autocomplete: "off" },
    h("fieldset", {}, h("legend", {}, "Questions"), questionChoices(), choice("checkbox", "unanswerable", "yes", "And 40 that no file answers", "A good answer to these is none.")),
    h("fieldset", {}, h("legend", {}, "What is compared"), systems.map((name) => choice("checkbox", "systems", name, ...CALLED[name], { checked: name === "ours" || name === "bm25" }))),
    h("fieldset", {}, h("legend", {}, "Answers by"),
      choice("radio", "reader", "", "Quotations", "The best sentence of what is found.", { checked: true }),
      choice("radio", "reader", "model", model || "A language model", model ? "One call a question and kind of evidence." : "Start the server with --model and --model-url.", { disabled: !model })),
    h("div", { class: "go" }, h("button", { class: "primary", id: "eval-start" }, "Evaluate this index"), h("p", { class: "quiet" }, "You can go on asking meanwhile.")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(new FormData(form));
  });
  byId("evaluate").replaceChildren(h("details", { open: !view.told.runs.length }, h("summary", {}, h("h2", {}, "New evaluation")), form), h("div", { id: "eval-job" }));
}

async function begin(chosen) {
  const questions = chosen.get("questions");
  const folder = questions === "other" ? byId("eval-folder").value : questions;
  const systems = chosen.getAll("systems");
  if (questions === "other" && !folder.trim()) return byId("eval-folder").focus();
  if (!systems.length) return failed("eval-job", new Error("Choose at least one thing to measure."));
  const wanted = { index: app.index, folder, count: byId("eval-count").valueAsNumber || 40, systems, model: chosen.get("reader") === "model", unanswerable: chosen.has("unanswerable") };
  return run("start", wanted);
}

async function run(how, wanted) {
  try {
    await send(`/api/evaluation/${how}`, wanted);
    byId("eval-job").replaceChildren();
    view.told = await get(path());
    drawRuns();
    watch();
  } catch (error) {
    failed("eval-job", error);
  }
}

async function watch() {
  const mine = ++view.watching;
  try {
    for (;;) {
      const job = await get(path("/progress"));
      if (mine !== view.watching) return;
      drawJob(job);
      if (!job.running) break;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
    view.told = await get(path());
    if (mine !== view.watching) return;
    drawRuns();
    drawJob(view.told.job);
    const { about, error, stopped } = view.told.job;
    if (!error && !stopped && view.told.runs.some(({ key, summary }) => key === about && summary)) openRun(about);
  } catch (error) {
    failed("eval-job", error);
  }
}

function drawJob(job) {
  byId("eval-start").disabled = job.running;
  const place = byId("eval-job");
  if (!job.running) return place.replaceChildren(...ending(job));
  const words = `${job.label || "Starting"}${job.total ? `: ${job.done} of ${job.total}` : "…"}`;
  const onstop = () => send(`/api/evaluation/cancel/${encodeURIComponent(app.index)}`, {});
  return showBar(place, { name: "Evaluation", share: job.total ? job.done / job.total : 0, words, stopping: job.stopping, stop: { id: "eval-stop" }, onstop });
}

function ending(job) {
  const kept = view.told.runs.some(({ key }) => key === job.about);
  if (job.error) return [h("p", { class: "failure", role: "alert" }, job.error)];
  if (job.stopped) return [h("p", { class: "quiet", role: "status" }, kept ? "Stopped. What was done is kept: go on with it below." : "Stopped before anything was asked.")];
  if (job.missing && kept) return [h("p", { class: "failure", role: "alert" }, `${count(job.missing, "answer")} could not be had and count as wrong: go on below to try again. ${job.failures[0]}`)];
  return kept ? [h("p", { class: "quiet", role: "status" }, "The evaluation is done.")] : [];
}

const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);
const when = (stamp) => new Date(stamp).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });

function drawRuns() {
  const { runs, kept } = view.told;
  const place = byId("runs");
  if (!runs.length) return place.replaceChildren(h("p", { class: "quiet" }, "No evaluation was made yet. It asks questions whose answers are known, and shows how often the right file comes first."));
  const heads = [h("span", { class: "unseen" }, "Compare"), "Made", "Questions", "Right file first", "Among the first five", "Answers right", h("span", { class: "unseen" }, "Delete")];
  const table = h("table", { class: "runs" },
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, runs.map(drawRow)));
  const compare = h("button", { type: "button", class: "plain", id: "compare", disabled: view.chosen.size !== 2, onclick: compareChosen }, "Compare");
  const where = kept ? h("p", { class: "quiet" }, `Kept in ${kept}; haystack-agent eval report RUN writes one as a page.`) : "";
  const parts = [h("div", { class: "facts" }, h("h2", {}, "Evaluations"), compare), h("div", { class: "wide" }, table), where];
  return redraw(place, () => place.replaceChildren(...parts), () => place.querySelector("button:not(:disabled), input"));
}

function drawRow(one) {
  const { key, summary } = one;
  const box = h("input", { type: "checkbox", checked: view.chosen.has(key), disabled: !summary, "aria-label": `Compare the evaluation of ${when(one.begun)}` });
  box.addEventListener("change", () => {
    box.checked ? view.chosen.add(key) : view.chosen.delete(key);
    byId("compare").disabled = view.chosen.size !== 2;
  });
  const going = view.told.job.running && view.told.job.about === key;
  const on = !going && (!summary || summary.missing) ? h("button", { type: "button", class: "link", onclick: () => run("go-on", { index: app.index, run: key }) }, "Go on") : null;
  const open = summary ? h("button", { type: "button", class: "link", onclick: () => openRun(key) }, when(one.begun)) : when(one.begun);
  const figures = [summary?.recall_1, summary?.recall_5, summary?.right].map((value) => h("td", { class: "figure" }, percent(value)));
  const here = key === view.opened;
  return h("tr", { class: here ? "here" : "", "aria-current": String(here), "data-key": key },
    h("td", {}, box), h("td", {}, open, on ? [" ", on] : null),
    h("td", {}, `${one.name}${summary ? `, ${summary.questions}` : ""}`, h("small", { class: "quiet" }, ` ${one.reader === "extractive" ? "quotations" : one.reader}`)),
    figures, h("td", {}, iconButton("close", `Delete the evaluation of ${when(one.begun)}`, () => remove(one))));
}

function light(key) {
  view.opened = key;
  for (const row of byId("runs").querySelectorAll("tr[data-key]")) {
    row.classList.toggle("here", row.dataset.key === key);
    row.setAttribute("aria-current", String(row.dataset.key === key));
  }
}

async function openRun(key) {
  light(key);
  byId("run").replaceChildren(h("p", { class: "quiet" }, "Reading…"));
  try {
    const told = await get(path(`/run/${key}`));
    if (view.opened === key) byId("run")?.replaceChildren(...drawRun(told));
  } catch (error) {
    failed("run", error);
  }
}

async function compareChosen() {
  const [first, second] = view.told.runs.map(({ key }) => key).filter((key) => view.chosen.has(key)).reverse();
  light("");
  try {
    const { tables } = await get(path(`/compare/${first}/${second}`));
    const named = [first, second].map((key) => when(view.told.runs.find((one) => one.key === key).begun));
    byId("run").replaceChildren(h("h2", {}, `${named[0]} against ${named[1]}`), ...drawTables(tables));
  } catch (error) {
    failed("run", error);
  }
}

async function remove(one) {
  const yes = await ask({ title: "Delete this evaluation?", note: `Its answers and figures of ${when(one.begun)} will be gone for good.`, action: "Delete" });
  if (yes === null) return;
  try {
    await send(path(`/run/${one.key}`), undefined, "DELETE");
    view.chosen.delete(one.key);
    if (view.opened === one.key) byId("run").replaceChildren();
    view.told = await get(path());
    drawRuns();
    drawJob(view.told.job);
  } catch (error) {
    failed("eval-job", error);
  }
}
