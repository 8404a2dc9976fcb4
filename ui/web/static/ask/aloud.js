// The answer for those who hear it: whole sentences, now and then while it is written, and what is left when it is done.

import { announce } from "../common/dom.js";

const EVERY = 3000;
const SENTENCES = /^.*(?:[.!?…؟।](?=\s)|[。！？])/su;

/** What reads one answer aloud: `hear` each token, `finish` with the whole text, `start` over when it begins anew. */
export function speaker() {
  let heard = "";
  let said = 0;
  let last = 0;
  const say = (text) => text.trim() && announce(text.trim());
  return {
    start() {
      heard = "";
      said = 0;
    },
    hear(token) {
      heard += token;
      if (Date.now() - last < EVERY) return;
      const [sentences] = SENTENCES.exec(heard.slice(said)) ?? [""];
      if (!sentences) return;
      last = Date.now();
      said += sentences.length;
      say(sentences);
    },
    finish(text) {
      // The answer may have been mended at its end: what was said already is not said twice where it still holds.
      say(text.startsWith(heard.slice(0, said)) ? text.slice(said) : text);
    },
  };
}
