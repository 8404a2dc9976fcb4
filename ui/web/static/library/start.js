// The first start: one screen that asks for a folder, says how long reading it takes, and begins.

import { send } from "../common/api.js";
import { app, show } from "../app.js";
import { byId, count, duration, h } from "../common/dom.js";
import { showProgress, watchJob } from "./job.js";

const CALLED = { document: ["document", "documents"], image: ["photo", "photos"], video: ["clip", "clips"] };

/** A field for a folder: completes while one types, and says what is in it. */
export function folderField(id) {
  const list = h("datalist", { id: `${id}-list` });
  const input = h("input", { type: "text", id, list: `${id}-list`, "aria-label": "Folder", placeholder: `${app.state.home || "/home/me"}/Documents`, spellcheck: false, autocomplete: "off" });
  let asked = 0;
  input.addEventListener("input", async () => {
    const mine = ++asked;
    const folders = await send("/api/index/folders", { folder: input.value || " " }).catch(() => []);
    if (mine === asked) list.replaceChildren(...folders.map((folder) => h("option", { value: folder })));
  });
  return [input, list];
}

export async function estimated(folder) {
  const { kinds, files, seconds } = await send("/api/index/estimate", { folder });
  const parts = Object.entries(kinds).filter(([, number]) => number).map(([kind, number]) => count(number, ...CALLED[kind]));
  if (!parts.length) return { text: `None of its ${count(files, "file")} is of a kind that is read.`, empty: true };
  return { text: `${parts.join(", ")}. Reading them takes about ${duration(seconds)}; you can ask meanwhile.`, empty: false };
}

async function begin(folders, sample) {
  showReading({ running: true });
  try {
    await send("/api/index/start", { index: app.index, folders, sample });
  } catch (error) {
    showStart(error.message);
    return;
  }
  watchJob();
}

export function showStart(failure) {
  show("start");
  const note = h("p", { class: "quiet", id: "start-note", "aria-live": "polite" });
  if (failure) note.append(h("span", { class: "failure", role: "alert" }, failure));
  const fail = (error) => note.replaceChildren(h("span", { class: "failure", role: "alert" }, error.message));
  const [input, list] = folderField("start-folder");
  const button = h("button", { class: "primary", id: "start-go" }, "Read this folder");
  let confirmed = "";
  const look = async (tell) => {
    const folder = input.value;
    try {
      const { text } = await estimated(folder);
      if (folder !== input.value) return;
      note.textContent = text;
      confirmed = folder;
    } catch (error) {
      if (tell && folder === input.value) fail(error);
    }
  };
  let later = 0;
  input.addEventListener("input", () => {
    clearTimeout(later);
    note.textContent = "";
    if (input.value.trim()) later = setTimeout(look, 400, false);
  });
  input.addEventListener("change", () => input.value.trim() && input.value !== confirmed && look(true));
  const form = h("form", { class: "row", autocomplete: "off" }, input, list, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!input.value.trim()) return input.focus();
    try {
      if (confirmed !== input.value) note.textContent = (await estimated(input.value)).text;
      await begin([input.value], false);
    } catch (error) {
      fail(error);
    }
  });
  const sample = h("button", { type: "button", class: "link", id: "start-sample", onclick: () => begin([], true) }, "try it with a small sample");
  byId("view-start").replaceChildren(h("div", { class: "start" },
    h("h2", { id: "start-title" }, "Which folder do you want to ask?"),
    h("p", { class: "quiet" }, "Its documents, photos and videos are read on this computer and stay on it. The files themselves are not changed."),
    app.state.local
      ? [form, note, h("p", { class: "or" }, "Or ", sample, ": a dozen made-up files, read in about half a minute.")]
      : [h("p", {}, "Nothing is indexed yet. On the computer that runs this server, open this page or run "), h("code", {}, "haystack-agent index FOLDER")]));
  if (app.state.local) input.focus();
}

/** While the first folder is read. */
export function showReading(job) {
  show("start");
  app.job = job;
  const place = h("div", { id: "start-progress" });
  showProgress(place, job);
  const go = h("button", { type: "button", class: "primary", id: "start-ask", hidden: true, onclick: () => show("ask") }, "Start asking");
  byId("view-start").replaceChildren(h("div", { class: "start" },
    h("h2", { id: "start-title" }, "Reading your files"),
    h("p", { class: "quiet" }, "You can start asking as soon as something is read; the rest is read meanwhile."),
    place, h("p", {}, go)));
  const update = () => {
    if (document.body.dataset.view !== "start") return document.removeEventListener("job", update);
    showProgress(place, app.job);
    go.hidden = !app.state.ready;
    if (app.job.running) return undefined;
    if (app.state.ready) {
      document.removeEventListener("job", update);
      return show("ask");
    }
    place.append(h("p", {}, h("button", { type: "button", class: "link", onclick: () => showStart() }, "Choose another folder")));
    return undefined;
  };
  document.addEventListener("job", update);
}
