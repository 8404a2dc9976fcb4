// Talking to the server. What goes wrong becomes an Error whose message is for the user.

/** @import { Told } from "./types.js" */

const LOST = "The server does not answer. Start it again with `haystack-agent ui`, then reload this page.";

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error instanceof DOMException && error.name === "AbortError" ? error : new Error(LOST, { cause: error });
  }
  if (response.status === 401) location.assign("/login");
  if (!response.ok) throw new Error(await told(response));
  return response;
}

/** @param {Response} response */
async function told(response) {
  const body = await response.text();
  const refused = `The server refused this (${response.status}).`;
  try {
    return JSON.parse(body).error || refused;
  } catch {
    return body.length < 300 && body ? body : refused;
  }
}

/**
 * What the server tells at a path, in the form that `ui/web` gives it.
 * @template T
 * @param {string} path
 * @returns {Promise<T>}
 */
export async function get(path) {
  return (await request(path)).json();
}

/**
 * @template T
 * @param {string} path
 * @param {unknown} value
 * @param {string} method
 * @returns {Promise<T>}
 */
export async function send(path, value, method = "POST") {
  /** @type {RequestInit} */
  const options = { method, headers: { "Content-Type": "application/json" } };
  if (value !== undefined) options.body = JSON.stringify(value);
  return (await request(path, options)).json();
}

/**
 * Give the server a picture to search with; its id.
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
export async function sendPicture(blob) {
  const headers = { "Content-Type": "application/octet-stream" };
  const response = await request("/api/picture", { method: "POST", body: blob, headers });
  return (await response.json()).picture;
}

/**
 * End the answer that is being made in a conversation, if it can be reached.
 * @param {string} conversation
 */
export async function stopAnswer(conversation) {
  if (conversation) await send(`/api/conversations/${conversation}/stop`, {}).catch(() => {});
}

/**
 * What the server tells while it answers a question, one value after another.
 * @param {object} question
 * @returns {AsyncGenerator<Told>}
 */
export async function* answering(question) {
  const base = "/gradio/gradio_api/call/ask";
  /** @type {{ event_id: string }} */
  const { event_id: event } = await send(base, { data: [question] });
  const { body } = await request(`${base}/${event}`);
  if (!body) throw new Error(LOST);
  let ended = false;
  for await (const { kind, data } of events(body)) {
    if (kind === "error") throw new Error("The server could not answer this. Its log says why.");
    if (kind === "generating") {
      const [value] = JSON.parse(data);
      ended ||= value.kind === "end";
      yield value;
    }
    ended ||= kind === "complete";
    if (ended) return;
  }
  throw new Error(LOST);
}

/**
 * Events as they come, until there are no more, whyever.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ value: "", done: true }));
      if (done) return;
      const blocks = (buffer + value).split("\n\n");
      buffer = blocks.pop() ?? "";
      for (const block of blocks) {
        yield { kind: /^event: (\w+)/m.exec(block)?.[1] ?? "", data: /^data: (.*)$/m.exec(block)?.[1] ?? "" };
      }
    }
  } finally {
    reader.cancel();
  }
}

/**
 * The address of a page or picture, `side` pixels large.
 * @param {string} index
 * @param {string} asset
 * @param {number | null} page
 * @param {number} side
 */
export const still = (index, asset, page, side) =>
  `/media/${encodeURIComponent(index)}/${asset}/still.jpg?page=${page || 1}&side=${side}`;

/**
 * The address of a video's frame, `at` seconds from its start.
 * @param {string} index
 * @param {string} asset
 * @param {number | null} at
 * @param {number} side
 */
export const frame = (index, asset, at, side) =>
  `/media/${encodeURIComponent(index)}/${asset}/frame.jpg?at=${(at || 0).toFixed(3)}&side=${side}`;

/**
 * The address of a video from a second on.
 * @param {string} index
 * @param {string} asset
 * @param {number | null} start
 */
export const clip = (index, asset, start) =>
  `/media/${encodeURIComponent(index)}/${asset}/clip#t=${(start || 0).toFixed(2)}`;

/**
 * Where all places of a file are told.
 * @param {string} index
 * @param {string} asset
 */
export const placesOf = (index, asset) => `/api/places/${encodeURIComponent(index)}/${asset}`;
