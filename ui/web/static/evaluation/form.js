// What is to be evaluated: the questions, what is compared, and who answers.

import { as, byId, h } from "../common/dom.js";
import { folderField } from "../common/folder-field.js";
import { known } from "../common/state.js";

/** @import { Properties } from "../common/dom.js" */
/** @import { Overview } from "./types.js" */

/** @type {Record<string, [string, string]>} */
const CALLED = {
  ours: ["Search as you have it", "Words, meanings, dates and names together."],
  bm25: ["Words alone", "BM25 over the same places."],
  dense: ["Meaning alone", "The sentence encoder over the same places."],
  rrf: ["Words and meaning by rank", "The usual way of joining the two."],
  uclip: ["Looks alone", "The common space of texts and pictures."],
};
const CHECKED = ["ours", "bm25"];

/** @param {string} id */
export const fieldOf = (id) => as(HTMLInputElement, byId(id));

/**
 * The form; `begin` gets what was chosen.
 * @param {Overview} told
 * @param {(chosen: FormData) => void} begin
 */
export function drawForm(told, begin) {
  const form = h("form", { class: "evaluate", autocomplete: "off" },
    h("fieldset", {}, h("legend", {}, "Questions"), questions(told.folders), unanswerable()),
    h("fieldset", {}, h("legend", {}, "What is compared"), told.systems.map(system)),
    h("fieldset", {}, h("legend", {}, "Answers by"), readers(told.model)),
    h("div", { class: "go" },
      h("button", { class: "primary", id: "eval-start" }, "Evaluate this index"),
      h("p", { class: "quiet" }, "You can go on asking meanwhile.")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin(new FormData(form));
  });
  return form;
}

/**
 * @param {Properties} input
 * @param {string} label
 * @param {string} note
 */
function choice(input, label, note) {
  const words = h("span", {}, label, note ? h("small", {}, note) : null);
  return h("label", { class: "choice" }, h("input", input), words);
}

/** @param {string} name */
function system(name) {
  const [label, note] = CALLED[name] ?? [name, ""];
  return choice({ type: "checkbox", name: "systems", value: name, checked: CHECKED.includes(name) }, label, note);
}

function unanswerable() {
  const box = { type: "checkbox", name: "unanswerable", value: "yes" };
  return choice(box, "And 40 that no file answers", "A good answer to these is none.");
}

/** @param {string} model */
function readers(model) {
  const radio = { type: "radio", name: "reader" };
  const note = model ? "One call a question and kind of evidence." : "Start the server with --model and --model-url.";
  return [
    choice({ ...radio, value: "", checked: true }, "Quotations", "The best sentence of what is found."),
    choice({ ...radio, value: "model", disabled: !model }, model || "A language model", note),
  ];
}

/** @param {string[]} folders */
function questions(folders) {
  const brought = folders.map((folder, place) => {
    const radio = { type: "radio", name: "questions", value: folder, checked: place === 0 };
    return choice(radio, "questions.jsonl", `in ${folder}`);
  });
  return [...brought, made(!folders.length), known.value.local ? elsewhere() : null];
}

/** @param {boolean} checked */
function made(checked) {
  const range = { min: "5", max: "500", value: "40", "aria-label": "How many questions" };
  const number = h("input", { type: "number", id: "eval-count", ...range });
  number.addEventListener("input", () => (fieldOf("eval-made").checked = true));
  const note = h("small", {}, "Easier than those of people: for comparing, not for boasting.");
  return h("div", { class: "choice" },
    h("input", { type: "radio", name: "questions", value: "", id: "eval-made", checked }),
    h("label", { for: "eval-made" }, "Made from your files", note), number);
}

function elsewhere() {
  const [input, list] = folderField("eval-folder");
  input.setAttribute("aria-label", "Folder with a questions.jsonl");
  input.addEventListener("input", () => (fieldOf("eval-other").checked = true));
  return h("div", { class: "choice" },
    h("input", { type: "radio", name: "questions", value: "other", id: "eval-other" }),
    h("label", { for: "eval-other" }, "A questions.jsonl in"), input, list);
}
