// The foldable side: conversations, indexes, and how answers are made.

import { get, send } from "../common/api.js";
import { as, byId, firstIfThere, h, icon, iconButton, narrow, redraw } from "../common/dom.js";
import { filtersOf } from "../common/filter-values.js";
import { openPanel } from "../common/panel.js";
import { prompted } from "../common/prompt.js";
import { refresh } from "../common/refresh.js";
import { remember } from "../common/remembered.js";
import { app, filters, kept, known, sideOpen } from "../common/state.js";
import { messageOf } from "../common/words.js";
import { newConversation, openConversation } from "./conversations.js";

/** @import { Mode } from "../common/types.js" */
/** @typedef {{ id: string, title: string }} Listed */

/** @type {{ value: Mode, label: string, note: string }[]} */
const MODES = [
  { value: "extractive", label: "Quotations", note: "The best sentence, word for word. No model needed." },
  { value: "direct", label: "Answers", note: "A model reads the best places." },
  { value: "agent", label: "Research", note: "A model searches step by step. Slower." },
];

/** Show the side whenever it is opened. */
export function startSide() {
  sideOpen.listen(toggle);
  kept.listen(() => sideOpen.value && draw());
}

/** @param {boolean} open */
function toggle(open) {
  const held = byId("side").contains(document.activeElement);
  byId("side").classList.toggle("open", open);
  if (held && !open) byId("side-toggle").focus();
  byId("side-toggle").setAttribute("aria-expanded", String(open));
  if (open) draw();
}

/** Away with it where it hides the conversation that was chosen; else that is marked in it. */
function chosen() {
  if (narrow()) sideOpen.set(false);
  else draw();
}

/** @param {Listed[]} listed */
function conversations(listed) {
  if (!listed.length) return h("p", { class: "quiet" }, "Your questions will be kept here.");
  return h("ul", { class: "talks" }, listed.map(drawListed));
}

/** @param {Listed} one */
function drawListed(one) {
  const onclick = async () => {
    await openConversation(one.id);
    chosen();
  };
  const open = h("button", { type: "button", class: "name", dir: "auto", title: one.title, onclick }, one.title);
  const openMenuHere = (/** @type {MouseEvent} */ event) => openMenu(as(HTMLElement, event.currentTarget), one);
  const more = iconButton("more", `Rename, export or delete “${one.title}”`, openMenuHere, { class: "icon more" });
  return h("li", { class: one.id === app.conversation ? "here" : "" }, open, more);
}

/**
 * @param {HTMLElement} button
 * @param {Listed} one
 */
function openMenu(button, one) {
  const hide = () => menu.hidePopover();
  const acted = (/** @type {(one: Listed) => void} */ act) => () => {
    hide();
    act(one);
  };
  const address = `/api/conversations/${one.id}/export.md`;
  /** @type {HTMLElement} */
  const menu = h("div", { class: "panel menu", popover: "auto", role: "dialog", "aria-label": one.title },
    h("button", { type: "button", onclick: acted(rename) }, "Rename"),
    h("a", { href: address, download: "", onclick: hide }, "Export as Markdown"),
    h("button", { type: "button", class: "failure", onclick: acted(remove) }, "Delete"));
  openPanel(menu, button, "below");
}

/** @param {Listed} one */
async function rename(one) {
  const title = await prompted({ title: "Rename the conversation", value: one.title, action: "Rename" });
  if (title) await send(`/api/conversations/${one.id}`, { title }, "PATCH");
  draw();
}

/** @param {Listed} one */
async function remove(one) {
  const note = `“${one.title}” will be gone for good. Your files stay as they are.`;
  const yes = await prompted({ title: "Delete this conversation?", note, action: "Delete" });
  if (yes === null) return;
  await send(`/api/conversations/${one.id}`, undefined, "DELETE");
  if (one.id === app.conversation) newConversation();
  draw();
}

function indexes() {
  const { indexes } = known.value;
  if (indexes.length < 2) return null;
  const options = indexes.map(({ key, label }) => h("option", { value: key, selected: key === app.index }, label));
  const select = h("select", { "aria-label": "Index" }, options);
  select.addEventListener("change", async () => {
    app.index = select.value;
    filters.set(filtersOf({})); // folders and types are those of an index
    await refresh();
    newConversation();
  });
  return h("fieldset", {}, h("legend", {}, "Index"), select);
}

/** @param {(typeof MODES)[number]} one */
function drawMode({ value, label, note }) {
  const disabled = value !== "extractive" && !known.value.model;
  const box = h("input", { type: "radio", name: "mode", value, checked: app.mode === value, disabled });
  box.addEventListener("change", () => {
    app.mode = value;
    remember({ mode: value });
  });
  return h("label", { class: "choice" }, box, h("span", {}, label, h("small", {}, note)));
}

function modes() {
  const { model, destination } = known.value;
  const told = model ? `Model: ${model}` : "For the other two, start the server with --model and --model-url.";
  const away = `Your questions, and the text and pictures of the places found, are sent to ${destination}.`;
  return h("fieldset", {}, h("legend", {}, "How to answer"), MODES.map(drawMode),
    h("p", { class: "quiet" }, told),
    destination ? h("p", { class: "quiet" }, away) : null);
}

async function draw() {
  /** @type {Listed[]} */
  let listed = [];
  let failed = "";
  try {
    listed = await get("/api/conversations");
  } catch (error) {
    failed = messageOf(error);
  }
  const begin = () => {
    newConversation();
    chosen();
  };
  const side = byId("side");
  const drawn = h("div", { class: "side-inner" },
    h("button", { type: "button", class: "plain new", onclick: begin }, icon("plus"), "New conversation"),
    h("nav", { "aria-label": "Conversations" },
      h("h2", {}, "Conversations"),
      failed ? h("p", { class: "failure" }, failed) : conversations(listed)),
    modes(),
    indexes());
  redraw(side, () => side.replaceChildren(drawn), () => firstIfThere(side, "button"));
}
