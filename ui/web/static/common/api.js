// Talking to the server. What goes wrong becomes an Error whose message is for the user.

const LOST = "The server does not answer. Start it again with `haystack-agent ui`, then reload this page.";

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new Error(LOST);
  }
  if (response.status === 401) location.assign("/login");
  if (!response.ok) throw new Error(await told(response));
  return response;
}

async function told(response) {
  const body = await response.text();
  try {
    return JSON.parse(body).error || `The server refused this (${response.status}).`;
  } catch {
    return body.length < 300 && body ? body : `The server refused this (${response.status}).`;
  }
}

export async function get(path, options) {
  return (await request(path, options)).json();
}

export async function send(path, value, method = "POST") {
  const options = { method, headers: { "Content-Type": "application/json" } };
  if (value !== undefined) options.body = JSON.stringify(value);
  return (await request(path, options)).json();
}

export async function sendPicture(blob) {
  const response = await request("/api/picture", { method: "POST", body: blob, headers: { "Content-Type": "application/octet-stream" } });
  return (await response.json()).picture;
}

/** What the server tells while it answers a question, one value after another. */
export async function* answering(question) {
  const base = "/gradio/gradio_api/call/ask";
  const { event_id: event } = await send(base, { data: [question] });
  const response = await request(`${base}/${event}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  let ended = false;
  try {
    while (!ended) {
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      if (done) break;
      buffer += value;
      const blocks = buffer.split("\n\n");
      buffer = blocks.pop();
      for (const block of blocks) {
        const kind = /^event: (\w+)/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (kind === "generating") {
          const [value] = JSON.parse(data);
          ended ||= value.kind === "end";
          yield value;
        } else if (kind === "complete" || kind === "error") {
          ended = true;
          if (kind === "error") throw new Error("The server could not answer this. Its log says why.");
        }
      }
    }
  } finally {
    reader.cancel();
  }
  if (!ended) throw new Error(LOST);
}

export const still = (index, asset, page, side) => `/media/${encodeURIComponent(index)}/${asset}/still.jpg?page=${page || 1}&side=${side}`;
export const frame = (index, asset, at, side) => `/media/${encodeURIComponent(index)}/${asset}/frame.jpg?at=${(at || 0).toFixed(3)}&side=${side}`;
export const clip = (index, asset, start) => `/media/${encodeURIComponent(index)}/${asset}/clip#t=${(start || 0).toFixed(2)}`;
