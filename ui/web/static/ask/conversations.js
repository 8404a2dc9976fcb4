// Which conversation is open: begun, opened, and gone away from.

import { get, stopAnswer } from "../common/api.js";
import { byId, notice } from "../common/dom.js";
import { filtersOf } from "../common/filter-values.js";
import { refresh } from "../common/refresh.js";
import { remember } from "../common/remembered.js";
import { app, busy, evidence, filters, known, opened } from "../common/state.js";
import { messageOf } from "../common/words.js";

/** @import { Conversation } from "../common/types.js" */

const GONE =
  "The index of this conversation is not there any more: its places cannot be opened, and what you ask now is asked " +
  "of another one.";

/**
 * What is asked next belongs to this conversation; with "" it begins one.
 * @param {string} id
 */
export function goOnIn(id) {
  app.conversation = id;
  remember({ conversation: id });
}

export function newConversation() {
  leave();
  goOnIn("");
  opened.set(null);
  evidence.set([]);
  byId("question").focus();
}

/** @param {string} id */
export async function openConversation(id) {
  if (id === app.conversation && busy.value) return; // it is open, and leaving it would end its answer
  try {
    /** @type {Conversation} */
    const kept = await get(`/api/conversations/${id}`);
    leave();
    goOnIn(id);
    notice("");
    if (kept.index !== app.index) await changeIndex(kept.index);
    opened.set(kept);
    evidence.set(kept.turns.at(-1)?.cards ?? []);
  } catch (error) {
    notice(messageOf(error));
  }
}

/** @param {string} key */
async function changeIndex(key) {
  if (!known.value.indexes.some((one) => one.key === key)) return notice(GONE);
  app.index = key;
  filters.set(filtersOf({}));
  await refresh();
}

/** Go away from an answer that is being made: what is still told of it is not shown, and it is ended if it is ours. */
function leave() {
  if (!busy.value) return;
  if (!busy.value.followed) stopAnswer(app.conversation);
  busy.set(null);
}
