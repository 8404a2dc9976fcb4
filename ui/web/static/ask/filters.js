// The filters above the question: each a quiet word until something is chosen, then a chip that says what.

import { byId, firstIfThere, h, iconButton } from "../common/dom.js";
import { dates, filtersOf, KINDS } from "../common/filter-values.js";
import { openPanel } from "../common/panel.js";
import { remember } from "../common/remembered.js";
import { filters, known } from "../common/state.js";

/** @import { Filters } from "../common/types.js" */

/** @typedef {(typeof KINDS)[number]} Kind */

/**
 * The panel at one of the chips, which stay as they are meanwhile.
 * @type {HTMLElement | null}
 */
let choosing = null;

/**
 * Show the filters, those chosen before first.
 * @param {Partial<Filters>} before
 */
export function startFilters(before = {}) {
  filters.listen((chosen) => {
    remember({ filters: chosen });
    if (!choosing) draw();
  });
  choose(before, filtersOf({}));
}

/** @param {Partial<Filters>} changes */
const choose = (changes, before = filters.value) => filters.set({ ...before, ...changes });

/** @param {string} key */
const focusOn = (key) => firstIfThere(byId("filters"), `[data-key="${key}"]`)?.focus();

/**
 * @param {HTMLElement} button
 * @param {string} label
 * @param {HTMLElement[]} content
 */
function openFilter(button, label, content) {
  const panel = h("div", { class: "panel", popover: "auto", role: "dialog", "aria-label": label }, content);
  button.setAttribute("aria-expanded", "true");
  choosing = panel;
  openPanel(panel, button, "above", () => {
    if (choosing === panel) choosing = null;
    draw();
    focusOn(button.dataset["key"] ?? "");
  });
}

/** @param {Kind} kind */
function choices({ key, name }) {
  const facets = known.value.facets?.[key] ?? [];
  if (!facets.length) return [h("p", { class: "quiet" }, "Nothing to choose from yet.")];
  return facets.map(({ value, count }) => {
    const box = h("input", { type: "checkbox", checked: filters.value[key].includes(value) });
    box.addEventListener("change", () => {
      const others = filters.value[key].filter((one) => one !== value);
      choose({ [key]: box.checked ? [...others, value] : others });
    });
    const words = [h("span", {}, name(value)), h("span", { class: "count" }, String(count))];
    return h("label", { class: "choice", title: key === "folders" ? value : null }, box, words);
  });
}

function dateFields() {
  /** @type {["after" | "before", string][]} */
  const fields = [["after", "From"], ["before", "Until"]];
  return fields.map(([key, label]) => {
    const input = h("input", { type: "date", value: filters.value[key] });
    input.addEventListener("change", () => choose({ [key]: input.value }));
    return h("label", { class: "date" }, label, input);
  });
}

/**
 * @param {{ key: string, label: string, value: string, content: () => HTMLElement[], cleared: Partial<Filters> }} one
 */
function chip({ key, label, value, content, cleared }) {
  const named = value ? `${label}: ${value}` : null;
  const shown = { "data-key": key, "aria-haspopup": "dialog", "aria-label": named };
  const button = h("button", { type: "button", ...shown }, value || label);
  button.addEventListener("click", () => openFilter(button, label, content()));
  if (!value) return button;
  const clear = () => {
    choose(cleared);
    focusOn(key);
  };
  return h("span", { class: "set" }, button, iconButton("close", `Remove the filter ${label}`, clear));
}

function draw() {
  const chosen = filters.value;
  const chips = KINDS.map((kind) => {
    const { key, label, name } = kind;
    const value = chosen[key].map(name).join(", ");
    return chip({ key, label, value, content: () => choices(kind), cleared: { [key]: [] } });
  });
  const dated = chosen.after || chosen.before ? dates(chosen) : "";
  const none = { after: "", before: "" };
  chips.splice(3, 0, chip({ key: "dates", label: "Date", value: dated, content: dateFields, cleared: none }));
  byId("filters").replaceChildren(...chips);
}
