// A place opened in a program of this computer.

import { send } from "../common/api.js";
import { notice } from "../common/dom.js";
import { app } from "../common/state.js";
import { messageOf } from "../common/words.js";

/** @import { Card } from "../common/types.js" */

/**
 * Open it, at the words quoted if there are any; why it cannot be is said above the question.
 * @param {Card} card
 */
export async function openHere(card, quote = "") {
  try {
    await send("/api/open", { index: app.index, asset: card.asset, piece: card.id, quote: quote.slice(0, 2000) });
  } catch (error) {
    notice(messageOf(error));
  }
}
