// A panel that lies over the page, at the button that opened it and within the window, whatever becomes of its size.

import { byId, firstIfThere } from "./dom.js";

const GAP = 6;
const MARGIN = 8;

/**
 * @param {number} wanted
 * @param {number} panel
 * @param {number} window
 */
const within = (wanted, panel, window) => `${Math.max(MARGIN, Math.min(wanted, window - panel - MARGIN))}px`;

/**
 * @param {HTMLElement} panel
 * @param {HTMLElement} button
 * @param {"above" | "below"} side
 */
function place(panel, button, side) {
  const box = button.getBoundingClientRect();
  panel.style.left = `${MARGIN}px`; // near the right edge it would be measured as narrow as the room there
  panel.style.left = within(box.left, panel.offsetWidth, innerWidth);
  if (side === "above") panel.style.bottom = within(innerHeight - box.top + GAP, panel.offsetHeight, innerHeight);
  else panel.style.top = within(box.bottom + GAP, panel.offsetHeight, innerHeight);
}

/**
 * Show a popover at a button and give it the focus; `onclosed` is called when it is away again.
 * @param {HTMLElement} panel
 * @param {HTMLElement} button
 * @param {"above" | "below"} side
 * @param {() => void} onclosed
 */
export function openPanel(panel, button, side, onclosed = () => {}) {
  const follow = () => place(panel, button, side);
  addEventListener("resize", follow);
  panel.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    removeEventListener("resize", follow);
    panel.remove();
    onclosed();
  });
  byId("view-ask").append(panel);
  panel.showPopover({ source: button });
  follow();
  firstIfThere(panel, "input, button")?.focus();
}
