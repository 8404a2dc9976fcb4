// What is asked: the question, a picture, and the filters above them.

import { sendPicture } from "../common/api.js";
import { app } from "../app.js";
import { byId, h, icon, iconButton } from "../common/dom.js";
import { ask, stop } from "./chat.js";
import { chooseFilters } from "./filters.js";
import { remember } from "../common/remembered.js";

const LARGEST = 20 * 1024 * 1024;
let picture = null;

function grow() {
  const area = byId("question");
  area.style.height = "auto";
  if (area.scrollHeight) area.style.height = `${area.scrollHeight}px`; // none while it is not shown
}

function write(text) {
  byId("question").value = text;
  remember({ draft: text });
  grow();
}

/** Put back a question that did not get through, unless another one is being written. */
export function giveBack(text) {
  if (!byId("question").value.trim()) write(text);
}

function submit() {
  const area = byId("question");
  const text = area.value.trim();
  if (app.busy) return stop();
  if (!text && !picture) return area.focus();
  const sent = picture;
  write("");
  setPicture(null);
  return ask(text, { picture: sent });
}

export function drawSend() {
  const button = byId("send");
  button.replaceChildren(icon(app.busy ? "stop" : "send"));
  button.setAttribute("aria-label", app.busy ? "Stop" : "Ask");
  button.title = app.busy ? "Stop" : "Ask";
}

async function takePicture(file) {
  const notice = byId("notice");
  notice.textContent = "";
  if (!app.state.sees) {
    notice.textContent = "This index cannot be searched by a picture: its profile reads text only. Index into a new index with another --profile.";
    return;
  }
  if (file.size > LARGEST) {
    notice.textContent = "This picture is larger than 20 MB: choose a smaller one.";
    return;
  }
  try {
    const id = await sendPicture(file);
    setPicture({ id, preview: URL.createObjectURL(file) });
  } catch (error) {
    notice.textContent = error.message;
  }
}

function setPicture(next) {
  picture = next;
  const shown = next
    ? [h("img", { src: next.preview, alt: "The picture to search with" }), iconButton("close", "Remove the picture", () => setPicture(null))]
    : [];
  byId("query-picture").replaceChildren(...shown);
  byId("query-picture").hidden = !next;
  byId("question").focus();
}

function drawPlaceholder() {
  byId("question").placeholder = app.state.ready ? "Ask your files" : "Ask when something is indexed";
  byId("add-picture").hidden = !app.state.sees;
}

export function startComposer({ filters = {}, draft = "" }) {
  const file = h("input", { type: "file", accept: "image/*", hidden: true, id: "picture-file", "aria-label": "A picture to search with" });
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
  area.addEventListener("input", () => write(area.value));
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!app.busy) submit();
    } else if (event.key === "Escape") area.blur();
  });
  area.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (pasted) takePicture(pasted);
  });
  file.addEventListener("change", () => {
    if (file.files[0]) takePicture(file.files[0]);
    file.value = "";
  });
  drawSend();
  chooseFilters(filters);
  write(draft);
  drawPlaceholder();
  document.addEventListener("state", drawPlaceholder);
}
