// Elements are made here and only here: text becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  menu: ["M4 7h16", "M4 12h16", "M4 17h10"],
  rail: ["M4 5h16v14H4z", "M14 5v14"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  plus: ["M12 5v14", "M5 12h14"],
  send: ["M12 19V5", "M6 11l6-6 6 6"],
  stop: ["M7 7h10v10H7z"],
  picture: ["M4 5h16v14H4z", "M4 16l5-5 4 4 3-3 4 4", "M15.5 9.5h.01"],
  similar: ["M4 4h11v11H4z", "M9 19h11V8"],
  exclude: ["M5 12h14"],
  open: ["M14 4h6v6", "M20 4l-9 9", "M18 14v6H4V6h6"],
  left: ["M15 5l-7 7 7 7"],
  right: ["M9 5l7 7-7 7"],
  larger: ["M12 6v12", "M6 12h12"],
  smaller: ["M6 12h12"],
  fit: ["M4 9V4h5", "M20 9V4h-5", "M4 15v5h5", "M20 15v5h-5"],
  play: ["M8 5l11 7-11 7z"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
};

/** @typedef {Node | string | null | undefined | false | Child[]} Child */
/** @typedef {{ onclick?: ((event: MouseEvent) => unknown) | undefined, [name: string]: unknown }} Properties */

/** @param {keyof typeof SHAPES} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/**
 * An element. "onclick" is a listener, "class" and "aria-..." are attributes.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Properties} properties
 * @param {Child[]} children
 */
export function h(tag, { onclick, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  if (onclick) listenTo(element, onclick);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    const isProperty = name in element && !name.startsWith("aria") && typeof value !== "string";
    if (isProperty) Object.assign(element, { [name]: value });
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...flat(children));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {(event: MouseEvent) => unknown} onclick
 */
const listenTo = (element, onclick) => element.addEventListener("click", onclick);

/**
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
function flat(children) {
  return children.flatMap((child) => {
    if (child === null || child === undefined || child === false) return [];
    return Array.isArray(child) ? flat(child) : [child];
  });
}

/**
 * @param {keyof typeof SHAPES} name
 * @param {string} label
 * @param {(event: MouseEvent) => unknown} onclick
 * @param {Properties} properties
 */
export function iconButton(name, label, onclick, properties = {}) {
  const named = { type: "button", class: "icon", "aria-label": label, title: label };
  return h("button", { ...named, onclick, ...properties }, icon(name));
}

/** @param {string} text */
export const failure = (text) => h("p", { class: "failure", role: "alert" }, text);

/**
 * Draw anew; what had the focus in `place` has it again: the control of the same name, else `otherwise()`.
 * @param {HTMLElement} place
 * @param {() => void} draw
 * @param {() => HTMLElement | null} otherwise
 */
export function redraw(place, draw, otherwise = () => null) {
  const before = document.activeElement && place.contains(document.activeElement) ? nameOf(document.activeElement) : "";
  draw();
  if (!before || place.contains(document.activeElement)) return;
  const controls = all(place, "button:not(:disabled), a, input, summary");
  (controls.find((one) => nameOf(one) === before) ?? otherwise())?.focus();
}

/** @param {Element} control */
const nameOf = (control) => control.getAttribute("aria-label") ?? control.textContent;

/**
 * What must be of this kind.
 * @template T
 * @param {new () => T} kind
 * @param {unknown} value
 */
export function as(kind, value) {
  if (value instanceof kind) return value;
  throw new TypeError(`The page has no ${kind.name} where one must be.`);
}

/**
 * The element of this id, if it is shown.
 * @param {string} id
 */
export const ifThere = (id) => document.getElementById(id);

/**
 * The element of this id, which must be there.
 * @param {string} id
 */
export function byId(id) {
  const found = ifThere(id);
  if (found) return found;
  throw new Error(`The page has no ${id}.`);
}

/**
 * The first in a place that a selector names, which must be there.
 * @param {ParentNode} place
 * @param {string} selector
 */
export const first = (place, selector) => as(HTMLElement, place.querySelector(selector));

/**
 * The first in a place that a selector names, if there is one.
 * @param {ParentNode} place
 * @param {string} selector
 */
export const firstIfThere = (place, selector) => all(place, selector)[0] ?? null;

/**
 * @param {ParentNode} place
 * @param {string} selector
 */
export function all(place, selector) {
  return [...place.querySelectorAll(selector)].filter((one) => one instanceof HTMLElement);
}

/** @param {string} text */
export function announce(text) {
  byId("announce").textContent = text;
}

/**
 * Say above the question what the user must know.
 * @param {string} text
 */
export function notice(text) {
  byId("notice").textContent = text;
}

/** Whether the side and the rail lie over the conversation. */
export const narrow = () => matchMedia("(max-width: 1080px)").matches;

/**
 * Text with the words given marked, whatever their case.
 * @param {string} text
 * @param {string[]} words
 */
export function marked(text, words) {
  const known = words.filter((word) => word.length > 1).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!known.length) return [text];
  const parts = text.split(new RegExp(`(${known.join("|")})`, "giu"));
  return parts.map((part, place) => (place % 2 ? h("mark", {}, part) : part));
}
