// The answer for those who hear it: whole sentences, now and then while it is written, and the rest when it is done.

import { announce } from "../common/dom.js";

const EVERY = 3000;
const SENTENCES = /^.*(?:[.!?…؟।](?=\s)|[。！？])/su;

/** What reads one answer aloud. */
export class Speaker {
  #heard = "";
  #said = 0;
  #last = 0;

  /** It begins anew. */
  start() {
    this.#heard = "";
    this.#said = 0;
  }

  /** @param {string} token */
  hear(token) {
    this.#heard += token;
    if (Date.now() - this.#last < EVERY) return;
    const [sentences] = SENTENCES.exec(this.#heard.slice(this.#said)) ?? [""];
    if (!sentences) return;
    this.#last = Date.now();
    this.#said += sentences.length;
    say(sentences);
  }

  /**
   * The whole text. It may have been mended at its end: what was said already is not said twice where it still holds.
   * @param {string} text
   */
  finish(text) {
    say(text.startsWith(this.#heard.slice(0, this.#said)) ? text.slice(this.#said) : text);
  }
}

/** @param {string} text */
function say(text) {
  if (text.trim()) announce(text.trim());
}
