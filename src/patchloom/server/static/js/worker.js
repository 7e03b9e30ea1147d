/** Runs beside the page: what would stop it for longer than a frame. */

import { altered } from "./alter.js";
import { leftover } from "./edges.js";
import { spreadOut } from "./grid.js";
import { grown } from "./grown.js";
import { encodeMask } from "./png.js";

const tasks = {
  alter: altered,

  /** The mask of a fill, its size and its file: what has `bits`, grown, and what has any of `kept`, as it is. */
  hole: async ({ marks, bits, kept, pixels }) => {
    const { width, height } = marks;
    const data = spreadOut(marks);
    const mask = grown(data, width, height, bits, pixels);
    let count = 0;
    for (let i = 0; i < mask.length; i++) {
      if (data[i] & kept) mask[i] = 1;
      count += mask[i];
    }
    return { mask, count, file: await encodeMask(mask, width, height, (value) => value === 1) };
  },

  /** A file that is white where a cell's value is in `white`. */
  mask: ({ marks, white }) => {
    return encodeMask(spreadOut(marks), marks.width, marks.height, (value) => white.includes(value));
  },

  leftover: ({ pixels, marks, width, height, reach }) => leftover(pixels, marks, width, height, reach),
};

addEventListener("message", async ({ data: { number, kind, task } }) => {
  try {
    const answer = await tasks[kind](task);
    const parts = answer instanceof Map ? [...answer.values()] : [answer.mask];
    postMessage({ number, answer }, parts.filter((each) => each instanceof Uint8Array).map((each) => each.buffer));
  } catch (error) {
    postMessage({ number, error: error.message });
  }
});
