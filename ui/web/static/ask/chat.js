// The conversation: questions, how they were understood, what is being done, and answers with their citations.

import { answering, get, send } from "../common/api.js";
import { app, refresh, toggleSide } from "../app.js";
import { announce, byId, count, h, icon } from "../common/dom.js";
import { speaker } from "./aloud.js";
import { drawSend, giveBack } from "./composer.js";
import { chooseFilters, chosenFilters, described } from "./filters.js";
import { drawRail, lightCard, railToTop, toggleRail } from "./rail.js";
import { remember } from "../common/remembered.js";
import { drawSide } from "./side.js";
import { openEvidence } from "../evidence/viewer.js";

const NEAR_END = 160;
const LOOK_AGAIN = 500;

function scrollDown(force) {
  const thread = byId("thread");
  if (force || thread.scrollHeight - thread.scrollTop - thread.clientHeight < NEAR_END) thread.scrollTop = thread.scrollHeight;
}

function welcome() {
  const examples = app.state.examples ?? [];
  const buttons = examples.map((text) => h("button", { type: "button", onclick: () => ask(text) }, text));
  const title = app.state.error ? "The index cannot be used" : "What are you looking for?";
  return h("div", { class: "welcome" },
    h("h2", {}, title),
    app.state.error ? [h("p", { class: "failure", role: "alert" }, app.state.error), h("p", {}, h("button", { type: "button", class: "plain", onclick: () => location.reload() }, "Try again"))] : null,
    buttons.length ? h("div", { class: "examples" }, buttons) : null);
}

function setConversation(id) {
  app.conversation = id;
  remember({ conversation: id });
}

export function newConversation() {
  leave();
  setConversation("");
  byId("thread").replaceChildren(welcome());
  drawRail([]);
  byId("question").focus();
}

export async function openConversation(id) {
  if (id === app.conversation && app.busy) return; // it is open, and leaving it would end its answer
  try {
    const kept = await get(`/api/conversations/${id}`);
    leave();
    setConversation(id);
    byId("notice").textContent = "";
    if (kept.index !== app.index) await changeIndex(kept.index);
    byId("thread").replaceChildren(...kept.turns.map((turn, place) => drawKept(turn, kept.making && place === kept.turns.length - 1)));
    drawRail(kept.turns.at(-1)?.cards ?? []);
    scrollDown(true);
    if (kept.making) goOn();
  } catch (error) {
    byId("notice").textContent = error.message;
  }
}

async function changeIndex(key) {
  if (!app.state.indexes.some((one) => one.key === key)) {
    byId("notice").textContent = "The index of this conversation is not there any more: its places cannot be opened, and what you ask now is asked of another one.";
    return;
  }
  app.index = key;
  chooseFilters({});
  await refresh();
}

/** Follow an answer that was begun before this page was loaded, or in another tab. */
async function goOn() {
  const mine = (app.busy = { followed: true });
  drawSend();
  try {
    await follow(mine);
  } catch (error) {
    if (app.busy === mine) byId("notice").textContent = error.message;
  } finally {
    done(mine);
  }
}

/** Draw the last question anew until its answer is there. */
async function follow(mine) {
  let cards = [];
  for (let making = true; making; ) {
    const kept = await get(`/api/conversations/${app.conversation}`);
    const turn = kept.turns.at(-1);
    if (app.busy !== mine || !turn) return;
    making = kept.making;
    const last = byId("thread").lastElementChild;
    const opened = last.querySelector(".steps").open;
    const drawn = drawKept(turn, making);
    if (making) drawn.querySelector(".steps").open = opened;
    last.replaceWith(drawn);
    if (turn.cards.length !== cards.length) drawRail((cards = turn.cards));
    scrollDown(false);
    if (making) await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    else {
      drawRail(turn.cards);
      announce(turn.answer.text);
    }
  }
}

/** The parts of one question on the page. */
function drawTurn(question, preview) {
  const parts = {
    mode: app.mode,
    aloud: speaker(),
    heard: h("p", { class: "heard", hidden: true }),
    summary: h("summary", {}, "Searching"),
    list: h("ol"),
    answer: h("div", { class: "answer", dir: "auto" }),
    notes: h("div", { class: "notes" }),
    ends: h("div", { class: "ends" }),
  };
  parts.steps = h("details", { class: "steps busy" }, parts.summary, parts.list);
  parts.all = h("article", { class: "turn" },
    h("h2", { class: "question", dir: "auto" }, question || "A picture"),
    preview ? h("div", { class: "query-picture" }, h("img", { src: preview, alt: "The picture that was searched with" })) : null,
    parts.heard, parts.steps, parts.answer, parts.notes, parts.ends);
  return parts;
}

function drawKept(turn, making) {
  const parts = drawTurn(turn.question);
  parts.again = turn.picture ? null : () => ask(turn.question);
  turn.steps.forEach((text) => addStep(parts, text));
  drawHeard(parts, { understood: turn.understood, parts: turn.parts, filters: turn.narrowed }, turn.question);
  if (making) {
    parts.answer.append(turn.answer.text ?? "");
    return parts.all;
  }
  settle(parts);
  if (turn.answer.error) drawError(parts, turn.answer.error);
  else drawAnswer(parts, turn.answer, turn.cards, turn.mode === "extractive");
  return parts.all;
}

function addStep(parts, text) {
  parts.summary.textContent = text;
  parts.list.append(h("li", {}, text));
}

function settle(parts) {
  parts.steps.classList.remove("busy");
  parts.steps.open = false;
  const steps = parts.list.children.length;
  parts.summary.textContent = steps > 1 ? count(steps, "step") : "Done";
  parts.steps.hidden = steps < 3; // searching and reading are no news
}

function drawHeard(parts, found, question) {
  const said = [
    found.understood ? h("span", {}, `Understood as: ${found.understood}`) : null,
    found.parts.length ? h("span", {}, `In parts: ${found.parts.join(" | ")}`) : null,
    found.filters ? h("span", {}, `Only ${described(found.filters)}`) : null,
    found.filters ? h("button", { type: "button", class: "link", onclick: () => chooseFilters(found.filters) }, "Edit filters") : null,
    found.filters ? h("button", { type: "button", class: "link", onclick: () => ask(question, { asAsked: true }) }, "Search everything") : null,
  ].filter(Boolean);
  parts.heard.hidden = !said.length;
  parts.heard.replaceChildren(...said);
}

function chip(number, citation, cards) {
  const card = cards.find(({ n }) => n === number);
  if (!card) return `[${number}]`;
  const place = [card.name, citation?.place || card.place].filter(Boolean).join(", ");
  const doubt = citation && !citation.verified && citation.quote ? " (its words were not found there)" : "";
  const link = h("a", { class: doubt ? "chip unsure" : "chip", href: `#evidence-${number}`, title: place + doubt, "aria-label": `Citation ${number}: ${place}${doubt}` }, String(number));
  link.addEventListener("click", (event) => {
    event.preventDefault();
    drawRail(cards);
    lightCard(number);
    openEvidence(cards, number, citation);
  });
  return link;
}

/** An answer's text as text, with our own links where it cites. */
function withChips(answer, cards) {
  const byNumber = new Map(answer.citations.map((citation) => [citation.n, citation]));
  const parts = answer.text.split(/\[(\d{1,3})\]/);
  const said = parts.map((part, place) => (place % 2 ? chip(Number(part), byNumber.get(Number(part)), cards) : part));
  const cited = new Set(parts.filter((_, place) => place % 2).map(Number));
  const rest = answer.citations.filter(({ n }) => !cited.has(n)).map((citation) => chip(citation.n, citation, cards));
  return rest.length ? [...said, " ", ...rest] : said;
}

function drawAnswer(parts, answer, cards, quoted) {
  parts.answer.classList.toggle("none", Boolean(answer.abstained));
  parts.answer.classList.toggle("quoted", quoted && !answer.abstained && !answer.listed);
  parts.answer.replaceChildren(...withChips(answer, cards));
  const nearest = answer.abstained && cards.length ? "These are the nearest places; they may still help." : "";
  const notes = [...answer.notes, answer.incomplete, nearest].filter(Boolean);
  parts.notes.replaceChildren(...notes.map((note) => h("p", {}, note)));
  const rail = h("button", { type: "button", class: "plain to-rail", onclick: () => { drawRail(cards); toggleRail(true); } }, icon("rail"), count(cards.length, "place"));
  const same = h("button", { type: "button", class: "link again", onclick: () => drawRail(cards) }, "Show its evidence");
  parts.ends.replaceChildren(...(cards.length ? [rail, same] : []));
  if (answer.stopped) drawAgain(parts);
}

function drawError(parts, text) {
  parts.answer.replaceChildren(h("p", { class: "failure", role: "alert" }, text));
  parts.ends.replaceChildren();
  drawAgain(parts);
}

function drawAgain(parts) {
  if (parts.again) parts.ends.append(h("button", { type: "button", class: "link", onclick: parts.again }, "Ask again"));
}

function onTold(told, parts, question) {
  switch (told.kind) {
    case "begin":
      parts.begun = true;
      remember({ asking: "" });
      setConversation(told.conversation);
      break;
    case "status":
    case "tool":
      if (told.kind === "tool") {
        parts.answer.replaceChildren();
        parts.aloud.start();
      }
      addStep(parts, told.text);
      break;
    case "found":
      drawHeard(parts, told, question);
      if (told.cards.length || app.mode === "extractive") drawRail(told.cards);
      break;
    case "gathered":
      drawRail(told.cards);
      break;
    case "token":
      parts.answer.append(told.text);
      parts.aloud.hear(told.text);
      break;
    case "done":
      settle(parts);
      drawAnswer(parts, told.answer, told.cards, parts.mode === "extractive");
      drawRail(told.cards);
      parts.aloud.finish(told.answer.text);
      break;
    case "stopped":
      settle(parts);
      drawAnswer(parts, told.answer, []);
      break;
    case "error":
      if (told.gone) setConversation(""); // what is asked next begins a new one
      settle(parts);
      drawError(parts, told.text);
      if (!parts.begun) giveBack(question);
      break;
    case "unkept":
      if (parts.first && !told.asked) setConversation("");
      parts.notes.append(h("p", { class: "failure", role: "alert" }, told.text));
      break;
    case "kept":
      if (byId("side").classList.contains("open")) drawSide();
      break;
  }
  scrollDown(false);
}

/** Go away from an answer that is being made: what is still told of it is not shown, and it is ended if it is ours. */
function leave() {
  if (!app.busy) return;
  if (!app.busy.followed) stop();
  done(app.busy);
}

function done(mine) {
  if (app.busy !== mine) return;
  app.busy = null;
  drawSend();
  scrollDown(false);
}

export async function ask(text, { picture = null, asAsked = false, excluded = [] } = {}) {
  if (app.busy) return;
  const mine = {};
  app.busy = mine;
  drawSend();
  byId("notice").textContent = "";
  if (matchMedia("(max-width: 1080px)").matches) toggleSide(false);
  byId("thread").querySelector(".welcome")?.remove();
  const parts = drawTurn(text, picture?.preview);
  parts.first = !app.conversation;
  parts.again = () => ask(text, { picture, asAsked, excluded });
  byId("thread").append(parts.all);
  app.asked = { text, picture };
  scrollDown(true);
  railToTop();
  remember({ asking: text });
  const question = { index: app.index, text, conversation: app.conversation, mode: app.mode, filters: chosenFilters(), as_asked: asAsked, picture: picture?.id ?? "", excluded };
  try {
    for await (const told of answering(question)) {
      if (app.busy !== mine) return;
      onTold(told, parts, text);
    }
  } catch (error) {
    if (app.busy === mine) await recover(mine, parts, text, error);
  } finally {
    done(mine);
  }
}

/** The server cannot be heard any more: what it was asked it may still answer. */
async function recover(mine, parts, text, error) {
  try {
    if (!parts.begun) throw error;
    await follow(mine);
  } catch (failure) {
    if (app.busy !== mine) return;
    settle(parts);
    drawError(parts, failure.message);
    if (!parts.begun) giveBack(text);
  }
}

/** Ask the last question again, without the places that were excluded. */
export function askAgain(excluded) {
  if (app.asked) ask(app.asked.text, { picture: app.asked.picture, excluded });
}

export async function stop() {
  if (app.conversation) await send(`/api/conversations/${app.conversation}/stop`, {}).catch(() => {});
}

export async function startChat(conversation) {
  newConversation();
  document.addEventListener("state", () => {
    if (byId("thread").querySelector(".welcome")) byId("thread").replaceChildren(welcome());
  });
  if (conversation) await openConversation(conversation);
}
