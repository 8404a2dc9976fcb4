// Filters, and how people say them.

import { known, mediumOf } from "./state.js";
import { languageName } from "./words.js";

/** @import { Filters } from "./types.js" */

/** @typedef {"modalities" | "folders" | "types" | "languages"} Key */

/** @type {{ key: Key, label: string, name: (value: string) => string }[]} */
export const KINDS = [
  { key: "modalities", label: "Kind", name: (value) => mediumOf(value).title },
  { key: "folders", label: "Folder", name: (value) => facetLabel("folders", value) },
  { key: "types", label: "Type", name: (value) => value },
  { key: "languages", label: "Language", name: languageName },
];

/**
 * @param {Key} key
 * @param {string} value
 */
function facetLabel(key, value) {
  return known.value.facets?.[key].find((facet) => facet.value === value)?.label ?? value;
}

/**
 * Filters of which only some are given.
 * @param {Partial<Filters>} values
 * @returns {Filters}
 */
export function filtersOf(values) {
  return { modalities: [], folders: [], types: [], languages: [], after: "", before: "", ...values };
}

/** @param {Filters} values */
export function dates(values) {
  if (values.after && values.before) return `${values.after} to ${values.before}`;
  return values.after ? `From ${values.after}` : `Until ${values.before}`;
}

/**
 * Filters as people say them.
 * @param {Filters} values
 */
export function described(values) {
  const parts = KINDS.filter(({ key }) => values[key].length).map(({ key, name }) => values[key].map(name).join(", "));
  if (values.after || values.before) parts.push(dates(values));
  return parts.join(" · ");
}
