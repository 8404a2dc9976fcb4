// The conversation: questions are asked, and what the server tells is drawn until their answers are there.

import { answering, get } from "../common/api.js";
import { announce, as, byId, failure, firstIfThere, h, narrow, notice } from "../common/dom.js";
import { remember } from "../common/remembered.js";
import { app, ask, asked, busy, draft, evidence, filters, kept, known, opened, sideOpen } from "../common/state.js";
import { messageOf } from "../common/words.js";
import { goOnIn, newConversation, openConversation } from "./conversations.js";
import { addStep, drawAnswer, drawError, drawHeard, drawKept, drawTurn, settle } from "./turn.js";

/** @import { Card, Conversation, Question, Told } from "../common/types.js" */
/** @import { Parts } from "./turn.js" */
/** @typedef {{ followed?: boolean }} Busy */

const NEAR_END = 160;
const LOOK_AGAIN = 500;

/** @param {boolean} force */
function scrollDown(force) {
  const thread = byId("thread");
  const near = thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_END;
  if (force || near) thread.scrollTop = thread.scrollHeight;
}

function welcome() {
  const { error, examples = [] } = known.value;
  const buttons = examples.map((text) => h("button", { type: "button", onclick: () => ask({ text }) }, text));
  const again = { type: "button", class: "plain", onclick: () => location.reload() };
  return h("div", { class: "welcome" },
    h("h2", {}, error ? "The index cannot be used" : "What are you looking for?"),
    error ? [failure(error), h("p", {}, h("button", again, "Try again"))] : null,
    buttons.length ? h("div", { class: "examples" }, buttons) : null);
}

/** @param {Conversation | null} conversation */
function drawThread(conversation) {
  const thread = byId("thread");
  if (!conversation) return thread.replaceChildren(welcome());
  const { turns, making } = conversation;
  thread.replaceChildren(...turns.map((turn, place) => drawKept(turn, making && place === turns.length - 1)));
  scrollDown(true);
  if (making) goOn();
}

/** Follow an answer that was begun before this page was loaded, or in another tab. */
async function goOn() {
  /** @type {Busy} */
  const mine = { followed: true };
  busy.set(mine);
  try {
    await follow(mine);
  } catch (error) {
    if (busy.value === mine) notice(messageOf(error));
  } finally {
    done(mine);
  }
}

/**
 * Draw the last question anew until its answer is there.
 * @param {Busy} mine
 */
async function follow(mine) {
  /** @type {Card[]} */
  let cards = [];
  for (let making = true; making; ) {
    /** @type {Conversation} */
    const conversation = await get(`/api/conversations/${app.conversation}`);
    const turn = conversation.turns.at(-1);
    if (busy.value !== mine || !turn) return;
    making = conversation.making;
    drawLast(drawKept(turn, making), making);
    if (turn.cards.length !== cards.length) evidence.set((cards = turn.cards));
    scrollDown(false);
    if (making) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    else {
      evidence.set(turn.cards);
      announce(turn.answer.text);
    }
  }
}

/**
 * @param {HTMLElement} drawn
 * @param {boolean} making
 */
function drawLast(drawn, making) {
  const last = as(HTMLElement, byId("thread").lastElementChild);
  if (making) stepsOf(drawn).open = stepsOf(last).open;
  last.replaceWith(drawn);
}

/** @param {HTMLElement} turn */
const stepsOf = (turn) => as(HTMLDetailsElement, turn.querySelector(".steps"));

/**
 * @param {Told} told
 * @param {Parts} parts
 * @param {string} question
 */
function onTold(told, parts, question) {
  switch (told.kind) {
    case "begin":
      parts.begun = true;
      remember({ asking: "" });
      goOnIn(told.conversation);
      break;
    case "tool":
      parts.answer.replaceChildren();
      parts.aloud.start();
      addStep(parts, told.text);
      break;
    case "status":
      addStep(parts, told.text);
      break;
    case "found":
      drawHeard(parts, told, question);
      if (told.cards.length || app.mode === "extractive") evidence.set(told.cards);
      break;
    case "gathered":
      evidence.set(told.cards);
      break;
    case "token":
      parts.answer.append(told.text);
      parts.aloud.hear(told.text);
      break;
    case "done":
      settle(parts);
      drawAnswer(parts, told.answer, told.cards, parts.mode === "extractive");
      evidence.set(told.cards);
      parts.aloud.finish(told.answer.text);
      break;
    case "stopped":
      settle(parts);
      drawAnswer(parts, told.answer, [], false);
      break;
    case "error":
      if (told.gone) goOnIn(""); // what is asked next begins a new one
      fail(parts, told.text, question);
      break;
    case "unkept":
      if (parts.first && !told.asked) goOnIn("");
      parts.notes.append(failure(told.text));
      break;
    case "kept":
      kept.set(null);
      break;
  }
  scrollDown(false);
}

/**
 * There is no answer; what did not get through is put back, unless another question is being written.
 * @param {Parts} parts
 * @param {string} reason
 * @param {string} question
 */
function fail(parts, reason, question) {
  settle(parts);
  drawError(parts, reason);
  if (!parts.begun && !draft.value.trim()) draft.set(question);
}

/** @param {Busy} mine */
function done(mine) {
  if (busy.value === mine) busy.set(null);
}

/** @param {Question} question */
async function answer(question) {
  const { text, picture = null, asAsked = false, excluded = [] } = question;
  /** @type {Busy} */
  const mine = {};
  busy.set(mine);
  notice("");
  if (narrow()) sideOpen.set(false);
  firstIfThere(byId("thread"), ".welcome")?.remove();
  const parts = drawTurn(text, () => ask(question), picture?.preview);
  byId("thread").append(parts.all);
  scrollDown(true);
  remember({ asking: text });
  const { index, conversation, mode } = app;
  const about = { index, text, conversation, mode, filters: filters.value };
  try {
    for await (const told of answering({ ...about, as_asked: asAsked, picture: picture?.id ?? "", excluded })) {
      if (busy.value !== mine) return;
      onTold(told, parts, text);
    }
  } catch (error) {
    if (busy.value === mine) await recover(mine, parts, text, error);
  } finally {
    done(mine);
  }
}

/**
 * The server cannot be heard any more: what it was asked it may still answer.
 * @param {Busy} mine
 * @param {Parts} parts
 * @param {string} text
 * @param {unknown} error
 */
async function recover(mine, parts, text, error) {
  try {
    if (!parts.begun) throw error;
    await follow(mine);
  } catch (failed) {
    if (busy.value === mine) fail(parts, messageOf(failed), text);
  }
}

/**
 * Begin with the conversation that was open before, or a new one.
 * @param {string} [conversation]
 */
export async function startChat(conversation) {
  opened.listen(drawThread);
  asked.listen((question) => question && answer(question));
  busy.listen((now) => now || scrollDown(false));
  newConversation();
  known.listen(() => {
    const before = firstIfThere(byId("thread"), ".welcome");
    if (before) byId("thread").replaceChildren(welcome());
  });
  if (conversation) await openConversation(conversation);
}
