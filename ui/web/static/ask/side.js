// The foldable side: conversations, indexes, and how answers are made.

import { get, send } from "../common/api.js";
import { app, refresh, toggleSide } from "../app.js";
import { newConversation, openConversation } from "./chat.js";
import { ask, byId, h, icon, iconButton, redraw } from "../common/dom.js";
import { chooseFilters } from "./filters.js";
import { openPanel } from "../common/panel.js";
import { remember } from "../common/remembered.js";

const MODES = [
  { value: "extractive", label: "Quotations", note: "The best sentence, word for word. No model needed." },
  { value: "direct", label: "Answers", note: "A model reads the best places." },
  { value: "agent", label: "Research", note: "A model searches step by step. Slower." },
];
const narrow = () => matchMedia("(max-width: 1080px)").matches;

function conversations(kept) {
  if (!kept.length) return h("p", { class: "quiet" }, "Your questions will be kept here.");
  return h("ul", { class: "talks" }, kept.map((one) => {
    const open = h("button", { type: "button", class: "name", dir: "auto", title: one.title, onclick: async () => { await openConversation(one.id); narrow() ? toggleSide(false) : drawSide(); } }, one.title);
    return h("li", { class: one.id === app.conversation ? "here" : "" }, open, iconButton("more", `Rename, export or delete “${one.title}”`, (event) => openMenu(event.currentTarget, one), { class: "icon more" }));
  }));
}

function openMenu(button, one) {
  const menu = h("div", { class: "panel menu", popover: "auto", role: "dialog", "aria-label": one.title },
    h("button", { type: "button", onclick: () => { menu.hidePopover(); rename(one); } }, "Rename"),
    h("a", { href: `/api/conversations/${one.id}/export.md`, download: "", onclick: () => menu.hidePopover() }, "Export as Markdown"),
    h("button", { type: "button", class: "failure", onclick: () => { menu.hidePopover(); remove(one); } }, "Delete"));
  openPanel(menu, button, "below");
}

async function rename(one) {
  const title = await ask({ title: "Rename the conversation", value: one.title, action: "Rename" });
  if (title) await send(`/api/conversations/${one.id}`, { title }, "PATCH");
  drawSide();
}

async function remove(one) {
  const yes = await ask({ title: "Delete this conversation?", note: `“${one.title}” will be gone for good. Your files stay as they are.`, action: "Delete" });
  if (yes === null) return;
  await send(`/api/conversations/${one.id}`, undefined, "DELETE");
  if (one.id === app.conversation) newConversation();
  drawSide();
}

function indexes() {
  const { indexes: known } = app.state;
  if (known.length < 2) return null;
  const select = h("select", { "aria-label": "Index" }, known.map(({ key, label }) => h("option", { value: key, selected: key === app.index }, label)));
  select.addEventListener("change", async () => {
    app.index = select.value;
    chooseFilters({}); // folders and types are those of an index
    await refresh();
    newConversation();
  });
  return h("fieldset", {}, h("legend", {}, "Index"), select);
}

function modes() {
  const { model, destination } = app.state;
  const boxes = MODES.map(({ value, label, note }) => {
    const box = h("input", { type: "radio", name: "mode", value, checked: app.mode === value, disabled: value !== "extractive" && !model });
    box.addEventListener("change", () => {
      app.mode = value;
      remember({ mode: value });
    });
    return h("label", { class: "choice" }, box, h("span", {}, label, h("small", {}, note)));
  });
  const told = model ? `Model: ${model}` : "For the other two, start the server with --model and --model-url.";
  const away = destination ? `Your questions, and the text and pictures of the places found, are sent to ${destination}.` : "";
  return h("fieldset", {}, h("legend", {}, "How to answer"), boxes, h("p", { class: "quiet" }, told), away ? h("p", { class: "quiet" }, away) : null);
}

export async function drawSide() {
  let kept = [];
  let failure = "";
  try {
    kept = await get("/api/conversations");
  } catch (error) {
    failure = error.message;
  }
  const side = byId("side");
  const drawn = h("div", { class: "side-inner" },
    h("button", { type: "button", class: "plain new", onclick: () => { newConversation(); narrow() ? toggleSide(false) : drawSide(); } }, icon("plus"), "New conversation"),
    h("nav", { "aria-label": "Conversations" }, h("h2", {}, "Conversations"), failure ? h("p", { class: "failure" }, failure) : conversations(kept)),
    modes(),
    indexes());
  redraw(side, () => side.replaceChildren(drawn), () => side.querySelector("button"));
}
