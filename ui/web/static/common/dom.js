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

/** An element. Properties that begin with "on" are listeners, "class" and "aria-..." are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && !name.startsWith("aria") && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function iconButton(name, label, onclick, properties = {}) {
  return h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...properties }, icon(name));
}

/** Draw anew; what had the focus in `place` has it again: the control of the same name, else `otherwise()`. */
export function redraw(place, draw, otherwise = () => null) {
  const before = place.contains(document.activeElement) ? nameOf(document.activeElement) : "";
  draw();
  if (!before || place.contains(document.activeElement)) return;
  const again = [...place.querySelectorAll("button:not(:disabled), a, input, summary")].find((one) => nameOf(one) === before);
  (again ?? otherwise())?.focus();
}

const nameOf = (control) => control.getAttribute("aria-label") ?? control.textContent;

export const byId = (id) => document.getElementById(id);

export function announce(text) {
  byId("announce").textContent = text;
}

/** Text with the words given marked, whatever their case. */
export function marked(text, words) {
  const known = words.filter((word) => word.length > 1).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!known.length) return [text];
  const parts = text.split(new RegExp(`(${known.join("|")})`, "giu"));
  return parts.map((part, place) => (place % 2 ? h("mark", {}, part) : part));
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export function languageName(code) {
  try {
    return new Intl.DisplayNames([navigator.language, "en"], { type: "language" }).of(code) || code;
  } catch {
    return code;
  }
}

/** Ask for one line of text, or for a yes: the text, "" for a plain yes, null when it was called off. */
export function ask({ title, note, value, action }) {
  const dialog = byId("prompt");
  return new Promise((resolve) => {
    const input = value === undefined ? null : h("input", { type: "text", value, maxlength: "200", "aria-label": title });
    const form = h("form", { method: "dialog" },
      h("h2", { id: "prompt-title" }, title),
      note ? h("p", { class: "quiet" }, note) : null,
      input,
      h("div", { class: "ends" },
        h("button", { type: "button", class: "plain", onclick: () => dialog.close("") }, "Cancel"),
        h("button", { class: "primary", value: "yes" }, action)));
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? input?.value.trim() ?? "" : null), { once: true });
    dialog.showModal();
    input?.select();
  });
}
