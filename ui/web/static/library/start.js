// The first start: one screen that asks for a folder, says how long reading it takes, and begins.

import { send } from "../common/api.js";
import { byId, h } from "../common/dom.js";
import { estimated, folderField } from "../common/folder-field.js";
import { app, indexing, known, view } from "../common/state.js";
import { messageOf } from "../common/words.js";
import { showProgress, watchJob } from "./job.js";

/** @import { Child } from "../common/dom.js" */
/** @import { Job } from "../common/types.js" */

const PAUSE = 400; // after which somebody has typed a folder
const PROMISE =
  "Its documents, photos and videos are read on this computer and stay on it. The files themselves are not changed.";

/**
 * @param {string[]} folders
 * @param {boolean} sample
 */
async function begin(folders, sample) {
  showReading({ running: true });
  try {
    await send("/api/index/start", { index: app.index, folders, sample });
  } catch (error) {
    showStart(messageOf(error));
    return;
  }
  watchJob();
}

/** Ask for a folder; `failed` says why the one before was not read. */
export function showStart(failed = "") {
  view.set("start");
  const content = known.value.local ? local(failed) : away();
  draw("Which folder do you want to ask?", h("p", { class: "quiet" }, PROMISE), content);
  if (known.value.local) byId("start-folder").focus();
}

/**
 * @param {string} title
 * @param {Child[]} content
 */
function draw(title, ...content) {
  const shown = h("div", { class: "start" }, h("h2", { id: "start-title" }, title), content);
  byId("view-start").replaceChildren(shown);
}

/** Where folders cannot be named. */
function away() {
  const how = "Nothing is indexed yet. On the computer that runs this server, open this page or run ";
  return [h("p", {}, how), h("code", {}, "haystack-agent index FOLDER")];
}

/** @param {string} failed */
function local(failed) {
  const note = h("p", { class: "quiet", id: "start-note", "aria-live": "polite" }, failed ? inNote(failed) : null);
  const sampled = { type: "button", class: "link", id: "start-sample", onclick: () => begin([], true) };
  const sample = h("button", sampled, "try it with a small sample");
  const or = h("p", { class: "or" }, "Or ", sample, ": a dozen made-up files, read in about half a minute.");
  return [folderForm(note), note, or];
}

/** @param {string} text */
const inNote = (text) => h("span", { class: "failure", role: "alert" }, text);

/** @param {HTMLElement} note */
function folderForm(note) {
  const fail = (/** @type {unknown} */ error) => note.replaceChildren(inNote(messageOf(error)));
  const [input, list] = folderField("start-folder");
  let confirmed = "";
  let later = 0;
  const look = async (/** @type {boolean} */ tell) => {
    const folder = input.value;
    try {
      const text = await estimated(folder);
      if (folder !== input.value) return;
      note.textContent = text;
      confirmed = folder;
    } catch (error) {
      if (tell && folder === input.value) fail(error);
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(later);
    note.textContent = "";
    if (input.value.trim()) later = setTimeout(look, PAUSE, false);
  });
  input.addEventListener("change", () => input.value.trim() && input.value !== confirmed && look(true));
  const button = h("button", { class: "primary", id: "start-go" }, "Read this folder");
  const form = h("form", { class: "row", autocomplete: "off" }, input, list, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!input.value.trim()) return input.focus();
    try {
      if (confirmed !== input.value) note.textContent = await estimated(input.value);
      return await begin([input.value], false);
    } catch (error) {
      return fail(error);
    }
  });
  return form;
}

/**
 * While the first folder is read.
 * @param {Job} job
 */
export function showReading(job) {
  view.set("start");
  indexing.set(job);
  const place = h("div", { id: "start-progress" });
  showProgress(place, job);
  const asked = { type: "button", class: "primary", id: "start-ask", hidden: true, onclick: () => view.set("ask") };
  const go = h("button", asked, "Start asking");
  const promise = "You can start asking as soon as something is read; the rest is read meanwhile.";
  draw("Reading your files", h("p", { class: "quiet" }, promise), place, h("p", {}, go));
  const unheard = indexing.listen((now) => {
    if (view.value !== "start") return unheard();
    showProgress(place, now);
    go.hidden = !known.value.ready;
    if (now.running) return undefined;
    if (!known.value.ready) return place.append(chooseAnother());
    unheard();
    return view.set("ask");
  });
}

function chooseAnother() {
  const onclick = () => showStart();
  return h("p", {}, h("button", { type: "button", class: "link", onclick }, "Choose another folder"));
}
