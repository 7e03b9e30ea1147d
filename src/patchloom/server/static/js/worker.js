/** Runs beside the page: what would stop it for longer than a frame. */

import { leftover } from "./edges.js";
import { grown } from "./grown.js";
import { encodeMask } from "./png.js";

const tasks = {
  /** @returns {Uint8Array} 0 or 1 a cell */
  grow: ({ data, width, height, bits, pixels }) => grown(data, width, height, bits, pixels),

  /** The mask of a fill and its file: what has `bits`, grown, and what has any of `kept`, as it is. */
  hole: async ({ data, width, height, bits, kept, pixels }) => {
    const mask = grown(data, width, height, bits, pixels);
    if (kept) for (let i = 0; i < mask.length; i++) if (data[i] & kept) mask[i] = 1;
    return { mask, file: await encodeMask(mask, width, height, (value) => value === 1) };
  },

  /** A file that is white where a cell's value is in `white`. */
  mask: ({ data, width, height, white }) => encodeMask(data, width, height, (value) => white.includes(value)),

  leftover: ({ pixels, marks, width, height, reach }) => leftover(pixels, marks, width, height, reach),
};

addEventListener("message", async ({ data: { number, kind, task } }) => {
  try {
    const answer = await tasks[kind](task);
    const moved = [answer, answer?.mask].filter((each) => each instanceof Uint8Array).map((each) => each.buffer);
    postMessage({ number, answer }, moved);
  } catch (error) {
    postMessage({ number, error: error.message });
  }
});
