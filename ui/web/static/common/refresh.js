// What the server knows of the index that is open, asked for anew.

import { get } from "./api.js";
import { remember } from "./remembered.js";
import { app, known } from "./state.js";

/** @import { State } from "./types.js" */

const MOST_LOOKS = 100;
const LOOK_AGAIN = 700;
let looks = 0;

/** Ask the server for what it knows of the index; whoever shows some of it hears of it. */
export async function refresh() {
  /** @type {State} */
  const state = await get(`/api/state?index=${encodeURIComponent(app.index)}`);
  app.index = state.index;
  const modes = ["extractive", ...(state.model ? ["direct", "agent"] : [])];
  if (!modes.includes(app.mode)) app.mode = "extractive";
  remember({ index: app.index, mode: app.mode });
  known.set(state);
  // Right after the start the server still looks through the files: their kinds and names come a moment later.
  const incomplete = state.ready && !state.complete && !state.job?.running;
  looks = incomplete ? looks + 1 : 0;
  if (looks > 0 && looks < MOST_LOOKS) setTimeout(() => refresh().catch(() => {}), LOOK_AGAIN);
  return state;
}
