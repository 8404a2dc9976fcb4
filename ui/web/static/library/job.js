// Indexing that goes on: asked for now and then while it runs, shown wherever there is a place for it.

import { get, send } from "../common/api.js";
import { failure, h, notice } from "../common/dom.js";
import { showBar } from "../common/progress.js";
import { refresh } from "../common/refresh.js";
import { app, indexing, known } from "../common/state.js";
import { count, duration, messageOf } from "../common/words.js";

/** @import { IndexProgress, IndexReport, Job } from "../common/types.js" */

const EVERY = 600;
const TELL_EVERY = 4000;
let watching = false;
let told = 0;

/** Follow a run wherever the server tells of one. */
export function startJobs() {
  known.listen(({ job }) => {
    if (job?.running) watchJob();
  });
}

/** Follow the run until it ends; all who listen hear how far it is. */
export async function watchJob() {
  if (watching) return;
  watching = true;
  try {
    await follow();
    await refresh();
    indexing.set(indexing.value);
  } catch (error) {
    notice(messageOf(error));
  } finally {
    watching = false;
  }
}

async function follow() {
  for (;;) {
    /** @type {Job} */
    const job = await get(`/api/progress/${encodeURIComponent(app.index)}`);
    indexing.set(job);
    drawNotice(job);
    if (!job.running) return;
    // What was read can be asked for while the rest is read.
    if ((job.progress?.pieces ?? 0) > 0 && Date.now() - told > TELL_EVERY) {
      told = Date.now();
      await refresh();
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

/** @param {Job} job */
function drawNotice({ running, progress }) {
  if (!running || !progress) return notice("");
  const files = `${progress.done} of ${progress.total} files`;
  notice(`Indexing goes on: ${files}${left(progress)}. Answers may miss what is not read yet.`);
}

/** @param {IndexProgress} progress */
const left = ({ left: seconds }) =>
  seconds === null || seconds === undefined ? "" : `, about ${duration(seconds)} left`;

const cancel = () => send(`/api/index/cancel/${encodeURIComponent(app.index)}`, {});

/**
 * Show in a place how far it is, or how it ended.
 * @param {HTMLElement} place
 * @param {Job} job
 */
export function showProgress(place, job) {
  const { progress, running, stopping = false, error, report } = job;
  if (error) return place.replaceChildren(failure(error));
  if (!running) {
    const ended = report ? [h("p", { class: "quiet", role: "status" }, summary(report))] : [];
    return place.replaceChildren(...ended);
  }
  const share = progress?.total && progress.bytes_total ? progress.bytes_done / progress.bytes_total : 0;
  const now = progress?.current?.[0] ?? "";
  const words = progress ? wordsOf(progress) : "Starting…";
  return showBar(place, { name: "Indexing", share, words, now, stopping, stop: "cancel-job", onstop: cancel });
}

/** @param {IndexProgress} progress */
function wordsOf(progress) {
  const { phase, done, total } = progress;
  return `${phase}${total ? `: ${done} of ${count(total, "file")}${left(progress)}` : "…"}`;
}

/** @param {IndexReport} report */
function summary(report) {
  if (report.interrupted) return "Stopped. What was read is kept: update the index to go on.";
  const changes = [
    report.read && `${report.read} read`,
    report.moved && `${report.moved} moved`,
    report.removed && `${report.removed} removed`,
  ].filter(Boolean);
  return `Up to date: ${changes.join(", ") || "nothing new"} in ${duration(report.seconds)}.`;
}
