// The small dialogue that asks for a line of text, or for a yes.

import { as, byId, h } from "./dom.js";

/**
 * Ask for one line of text, or for a yes: the text, "" for a plain yes, null when it was called off.
 * @param {{ title: string, note?: string, value?: string, action: string }} asked
 * @returns {Promise<string | null>}
 */
export function prompted({ title, note, value, action }) {
  const dialog = as(HTMLDialogElement, byId("prompt"));
  return new Promise((resolve) => {
    const field = { type: "text", value, maxlength: "200", "aria-label": title };
    const input = value === undefined ? null : h("input", field);
    const form = h("form", { method: "dialog" },
      h("h2", { id: "prompt-title" }, title),
      note ? h("p", { class: "quiet" }, note) : null,
      input,
      h("div", { class: "ends" },
        h("button", { type: "button", class: "plain", onclick: () => dialog.close("") }, "Cancel"),
        h("button", { class: "primary", value: "yes" }, action)));
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    const answer = () => resolve(dialog.returnValue === "yes" ? input?.value.trim() ?? "" : null);
    dialog.addEventListener("close", answer, { once: true });
    dialog.showModal();
    input?.select();
  });
}
