// What is shown and chosen: values that several parts of the page know, each with those who hear when it is set.

/** @import { Card, Citation, Conversation, Filters, Job, Medium, Mode, Question, State } from "./types.js" */

/**
 * A value, and those who hear of it.
 * @template T
 */
export class Shared {
  #told = new EventTarget(); // what fails in one listener keeps nothing from the others
  #value;

  /** @param {T} value */
  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  /**
   * Tell it to all who listen, also where it is what it was.
   * @param {T} value
   */
  set(value) {
    this.#value = value;
    this.#told.dispatchEvent(new Event("set"));
  }

  /**
   * Call `listener` whenever it is set; what is given back ends that.
   * @param {(value: T) => unknown} listener
   */
  listen(listener) {
    const hear = () => listener(this.#value);
    this.#told.addEventListener("set", hear);
    return () => this.#told.removeEventListener("set", hear);
  }
}

/**
 * The index that is open, how answers are made, and the conversation; nothing is drawn anew when these change.
 * @type {{ index: string, mode: Mode, conversation: string }}
 */
export const app = { index: "", mode: "extractive", conversation: "" };

/** @type {State} */
const NOTHING_KNOWN = {
  index: "", started_with: "", indexes: [], model: "", destination: "", local: false, home: "", media: [], ready: false,
  error: "",
};
export const known = new Shared(NOTHING_KNOWN);

/**
 * What a medium is called; one that the server has not told is called what it is.
 * @param {string} value
 * @returns {Medium}
 */
export function mediumOf(value) {
  return known.value.media.find((one) => one.value === value) ?? { value, one: value, many: value, title: value };
}

/** @type {Shared<Job>} */
export const indexing = new Shared({ running: false });

/**
 * The view that is shown.
 * @type {Shared<string>}
 */
export const view = new Shared("loading");

/**
 * The conversation as it was kept when it was opened; null is a new one.
 * @type {Shared<Conversation | null>}
 */
export const opened = new Shared(null);

/**
 * What the server keeps of conversations has changed.
 * @type {Shared<null>}
 */
export const kept = new Shared(null);

/**
 * The question that was asked last.
 * @type {Shared<Question | null>}
 */
export const asked = new Shared(null);

/**
 * The answer that is being made; `followed` where it was begun before this page was loaded, or in another tab.
 * @type {Shared<{ followed?: boolean } | null>}
 */
export const busy = new Shared(null);

/** The question that is being written. */
export const draft = new Shared("");

/** @type {Shared<Filters>} */
export const filters = new Shared({ modalities: [], folders: [], types: [], languages: [], after: "", before: "" });

/**
 * The places beside the answer.
 * @type {Shared<Card[]>}
 */
export const evidence = new Shared([]);

/**
 * The number of the place that is pointed at.
 * @type {Shared<number>}
 */
export const lit = new Shared(0);

/**
 * What similar places are looked for.
 * @type {Shared<Card | null>}
 */
export const similar = new Shared(null);

/**
 * The place that is shown large, by its number among those beside it.
 * @type {Shared<{ cards: Card[], number: number, citation?: Citation } | null>}
 */
export const viewed = new Shared(null);

export const sideOpen = new Shared(false);
export const railOpen = new Shared(false);

/**
 * Ask a question, unless one is being answered.
 * @param {Question} question
 */
export function ask(question) {
  if (!busy.value) asked.set(question);
}
