// Indexing that goes on: asked for now and then while it runs, shown wherever there is a place for it.

import { get, send } from "./api.js";
import { app, refresh } from "./app.js";
import { byId, count, duration, h } from "./dom.js";

const EVERY = 600;
let watching = false;
let told = 0;

/** Follow the run until it ends; each state is sent to the page as the event "job". */
export async function watchJob() {
  if (watching) return;
  watching = true;
  try {
    let job;
    do {
      job = await get(`/api/progress/${encodeURIComponent(app.index)}`);
      app.job = job;
      document.dispatchEvent(new CustomEvent("job"));
      drawNotice(job);
      // What was read can be asked for while the rest is read.
      if (job.running && job.progress?.pieces > 0 && Date.now() - told > 4000) {
        told = Date.now();
        await refresh();
      }
      if (job.running) await new Promise((resolve) => setTimeout(resolve, EVERY));
    } while (job.running);
    await refresh();
    document.dispatchEvent(new CustomEvent("job"));
  } catch (error) {
    byId("notice").textContent = error.message;
  } finally {
    watching = false;
  }
}

function drawNotice(job) {
  const { progress } = job;
  byId("notice").textContent = job.running && progress ? `Indexing goes on: ${progress.done} of ${progress.total} files${left(progress)}. Answers may miss what is not read yet.` : "";
}

const left = ({ left: seconds }) => (seconds === null || seconds === undefined ? "" : `, about ${duration(seconds)} left`);

export async function cancelJob() {
  await send(`/api/index/cancel/${encodeURIComponent(app.index)}`, {});
}

/** How far it is, as a bar with words. */
export function drawProgress(job) {
  const { progress, running, stopping, error, report } = job;
  if (error) return h("p", { class: "failure", role: "alert" }, error);
  if (!running) return report ? h("p", { class: "quiet", role: "status" }, summary(report)) : h("span");
  const fill = h("div", { class: "fill" });
  const share = progress?.bytes_total ? progress.bytes_done / progress.bytes_total : 0;
  const done = progress?.total ? Math.max(share, 0.02) : 0.02;
  fill.style.width = `${Math.round(100 * done)}%`;
  const words = progress ? `${progress.phase}${progress.total ? `: ${progress.done} of ${count(progress.total, "file")}${left(progress)}` : "…"}` : "Starting…";
  const now = stopping ? "Stopping…" : progress?.current?.[0] ?? "";
  return h("div", { class: "progress" },
    h("div", { class: "facts" }, h("span", { role: "status" }, words), stopping ? null : h("button", { type: "button", class: "link", id: "cancel-job", onclick: cancelJob }, "Stop")),
    h("div", { class: "track", role: "progressbar", "aria-label": "Indexing", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(100 * done)) }, fill),
    h("p", { class: "quiet current" }, now));
}

function summary(report) {
  if (report.interrupted) return `Stopped. What was read is kept: update the index to go on.`;
  const changes = [report.read && `${report.read} read`, report.moved && `${report.moved} moved`, report.removed && `${report.removed} removed`].filter(Boolean);
  return `Up to date: ${changes.join(", ") || "nothing new"} in ${duration(report.seconds)}.`;
}
