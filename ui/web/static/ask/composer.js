// What is asked: the question, a picture, and the filters above them.

import { sendPicture, stopAnswer } from "../common/api.js";
import { as, byId, h, icon, iconButton, notice } from "../common/dom.js";
import { remember } from "../common/remembered.js";
import { app, ask, busy, draft, known } from "../common/state.js";
import { messageOf } from "../common/words.js";

const LARGEST = 20 * 1024 * 1024;
const BLIND =
  "This index cannot be searched by a picture: its profile reads text only. Index into a new index with another " +
  "--profile.";

/** @type {{ id: string, preview: string } | null} */
let picture = null;

const question = () => as(HTMLTextAreaElement, byId("question"));

function grow() {
  const area = question();
  area.style.height = "auto";
  if (area.scrollHeight) area.style.height = `${area.scrollHeight}px`; // none while it is not shown
}

/** @param {string} text */
function write(text) {
  question().value = text;
  remember({ draft: text });
  grow();
}

function submit() {
  const text = question().value.trim();
  if (busy.value) return stopAnswer(app.conversation);
  if (!text && !picture) return question().focus();
  const sent = picture;
  draft.set("");
  setPicture(null);
  return ask({ text, picture: sent });
}

function drawSend() {
  const button = byId("send");
  const label = busy.value ? "Stop" : "Ask";
  button.replaceChildren(icon(busy.value ? "stop" : "send"));
  button.setAttribute("aria-label", label);
  button.title = label;
}

/** @param {File} file */
async function takePicture(file) {
  notice("");
  if (!known.value.sees) return notice(BLIND);
  if (file.size > LARGEST) return notice("This picture is larger than 20 MB: choose a smaller one.");
  try {
    const id = await sendPicture(file);
    setPicture({ id, preview: URL.createObjectURL(file) });
  } catch (error) {
    notice(messageOf(error));
  }
}

/** @param {{ id: string, preview: string } | null} next */
function setPicture(next) {
  picture = next;
  const place = byId("query-picture");
  place.replaceChildren(...(next ? shownPicture(next.preview) : []));
  place.hidden = !next;
  question().focus();
}

/** @param {string} preview */
const shownPicture = (preview) => [
  h("img", { src: preview, alt: "The picture to search with" }),
  iconButton("close", "Remove the picture", () => setPicture(null)),
];

function drawPlaceholder() {
  question().placeholder = known.value.ready ? "Ask your files" : "Ask when something is indexed";
  byId("add-picture").hidden = !known.value.sees;
}

/** @param {HTMLTextAreaElement} area */
function listenTo(area) {
  area.addEventListener("input", () => draft.set(area.value));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!busy.value) submit();
    } else if (event.key === "Escape") area.blur();
  });
  area.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (pasted) takePicture(pasted);
  });
}

function fileField() {
  const named = { id: "picture-file", "aria-label": "A picture to search with" };
  const file = h("input", { type: "file", accept: "image/*", hidden: true, ...named });
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (chosen) takePicture(chosen);
    file.value = "";
  });
  return file;
}

/** Draw the form, with what was being written before. */
export function startComposer(before = "") {
  const file = fileField();
  const area = h("textarea", { id: "question", rows: "1", maxlength: "2000", "aria-label": "Your question" });
  const form = byId("composer");
  form.append(
    h("div", { class: "filters", id: "filters", role: "group", "aria-label": "Filters" }),
    h("div", { class: "box" },
      iconButton("picture", "Search with a picture", () => file.click(), { id: "add-picture" }),
      file,
      h("div", { class: "query-picture", id: "query-picture", hidden: true }),
      area,
      h("button", { type: "submit", class: "icon send", id: "send" })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  listenTo(area);
  busy.listen(drawSend);
  draft.listen(write);
  known.listen(drawPlaceholder);
  drawSend();
  draft.set(before);
  drawPlaceholder();
}
