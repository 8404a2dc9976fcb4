// Indexing that goes on: asked for now and then while it runs, shown wherever there is a place for it.

import { get, send } from "../common/api.js";
import { app, refresh } from "../app.js";
import { byId, count, duration, h } from "../common/dom.js";
import { showBar } from "../common/progress.js";

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

/** Show in a place how far it is, or how it ended. */
export function showProgress(place, job) {
  const { progress, running, stopping, error, report } = job;
  if (error) return place.replaceChildren(h("p", { class: "failure", role: "alert" }, error));
  if (!running) return place.replaceChildren(...(report ? [h("p", { class: "quiet", role: "status" }, summary(report))] : []));
  const share = progress?.total && progress.bytes_total ? progress.bytes_done / progress.bytes_total : 0;
  const words = progress ? `${progress.phase}${progress.total ? `: ${progress.done} of ${count(progress.total, "file")}${left(progress)}` : "…"}` : "Starting…";
  return showBar(place, { name: "Indexing", share, words, now: progress?.current?.[0] ?? "", stopping, stop: { id: "cancel-job" }, onstop: cancelJob });
}

function summary(report) {
  if (report.interrupted) return `Stopped. What was read is kept: update the index to go on.`;
  const changes = [report.read && `${report.read} read`, report.moved && `${report.moved} moved`, report.removed && `${report.removed} removed`].filter(Boolean);
  return `Up to date: ${changes.join(", ") || "nothing new"} in ${duration(report.seconds)}.`;
}
