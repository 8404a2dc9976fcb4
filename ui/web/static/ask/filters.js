// The filters above the question: each a quiet word until something is chosen, then a chip that says what.

import { app } from "../app.js";
import { byId, h, iconButton, languageName } from "../common/dom.js";
import { openPanel } from "../common/panel.js";
import { remember } from "../common/remembered.js";

const CALLED = { document: "Documents", image: "Photos", video: "Videos" };
const NONE = { modalities: [], folders: [], types: [], languages: [], after: "", before: "" };
const KINDS = [
  { key: "modalities", label: "Kind", name: (value) => CALLED[value] },
  { key: "folders", label: "Folder", name: (value) => facetLabel("folders", value) },
  { key: "types", label: "Type", name: (value) => value },
  { key: "languages", label: "Language", name: languageName },
];
let chosen = structuredClone(NONE);

function facetLabel(key, value) {
  return app.state.facets?.[key].find((facet) => facet.value === value)?.label ?? value;
}

export const chosenFilters = () => structuredClone(chosen);

export const filtersOf = (values) => ({ ...structuredClone(NONE), ...values });

export function chooseFilters(values) {
  chosen = filtersOf(values);
  remember({ filters: chosen });
  drawFilters();
}

function dates(values) {
  if (values.after && values.before) return `${values.after} to ${values.before}`;
  return values.after ? `From ${values.after}` : `Until ${values.before}`;
}

/** Filters as people say them. */
export function described(values) {
  const parts = KINDS.filter(({ key }) => values[key].length).map(({ key, name }) => values[key].map(name).join(", "));
  if (values.after || values.before) parts.push(dates(values));
  return parts.join(" · ");
}

function openFilter(button, label, content) {
  const panel = h("div", { class: "panel", popover: "auto", role: "dialog", "aria-label": label }, content);
  button.setAttribute("aria-expanded", "true");
  openPanel(panel, button, "above", () => {
    drawFilters();
    byId("filters").querySelector(`[data-key="${button.dataset.key}"]`)?.focus();
  });
}

function choices(kind) {
  const facets = app.state.facets?.[kind.key] ?? [];
  if (!facets.length) return [h("p", { class: "quiet" }, "Nothing to choose from yet.")];
  return facets.map(({ value, count }) => {
    const box = h("input", { type: "checkbox", checked: chosen[kind.key].includes(value) });
    box.addEventListener("change", () => {
      chosen[kind.key] = box.checked ? [...chosen[kind.key], value] : chosen[kind.key].filter((one) => one !== value);
      remember({ filters: chosen });
    });
    return h("label", { class: "choice", title: kind.key === "folders" ? value : null }, box, h("span", {}, kind.name(value)), h("span", { class: "count" }, String(count)));
  });
}

function dateFields() {
  return ["after", "before"].map((key) => {
    const input = h("input", { type: "date", value: chosen[key] });
    input.addEventListener("change", () => {
      chosen[key] = input.value;
      remember({ filters: chosen });
    });
    return h("label", { class: "date" }, key === "after" ? "From" : "Until", input);
  });
}

function chip(key, label, value, content, clear) {
  if (!value) {
    const button = h("button", { type: "button", "data-key": key, "aria-haspopup": "dialog" }, label);
    button.addEventListener("click", () => openFilter(button, label, content()));
    return button;
  }
  const button = h("button", { type: "button", "data-key": key, "aria-haspopup": "dialog", "aria-label": `${label}: ${value}` }, value);
  button.addEventListener("click", () => openFilter(button, label, content()));
  return h("span", { class: "set" }, button, iconButton("close", `Remove the filter ${label}`, () => {
    clear();
    byId("filters").querySelector(`[data-key="${key}"]`)?.focus();
  }));
}

export function drawFilters() {
  const chips = KINDS.map((kind) =>
    chip(kind.key, kind.label, chosen[kind.key].map(kind.name).join(", "), () => choices(kind), () => chooseFilters({ ...chosen, [kind.key]: [] })));
  const dated = chosen.after || chosen.before ? dates(chosen) : "";
  chips.splice(3, 0, chip("dates", "Date", dated, dateFields, () => chooseFilters({ ...chosen, after: "", before: "" })));
  byId("filters").replaceChildren(...chips);
}
