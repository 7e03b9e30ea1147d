/** Runs beside the page: what would stop it for longer than a frame. */

import { altered, inked } from "./alter.js";
import { decoded, encoded, photographed, pixelsOf, scribbled } from "./greys.js";
import { Grid, spreadOut } from "./grid.js";
import { grown } from "./grown.js";
import { addition, question } from "./outlines.js";
import { encodeMask } from "./png.js";
import { specks } from "./specks.js";

const tasks = {
  alter: altered,

  /** The mask of a fill, its size and its file: what has `bits`, grown, and what has any of `kept`, as it is; and the
   * change that `ink` makes there. */
  hole: async ({ marks, bits, kept, pixels, ink }) => {
    const { width, height } = marks;
    const data = spreadOut(marks);
    const mask = grown(data, width, height, bits, pixels);
    let count = 0;
    for (let i = 0; i < mask.length; i++) {
      if (data[i] & kept) mask[i] = 1;
      count += mask[i];
    }
    const change = new Grid(width, height).differences(data, inked(data, mask, ink));
    return { mask, count, change, file: await encodeMask(mask, width, height, (value) => value === 1) };
  },

  /** A file that is white where a cell's value is in `white`. */
  mask: ({ marks, white }) => {
    return encodeMask(spreadOut(marks), marks.width, marks.height, (value) => white.includes(value));
  },

  /** A photo to look for objects in. */
  photographed: ({ bitmap }) => photographed(bitmap),

  /** Scribbles on an object, and marks that are to be one, as the server takes them. */
  scribbled: ({ strokes, width, height, scale }) => scribbled(strokes, width, height, scale),
  question: ({ marks, width, height, areas }) => encoded(question(marks, width, height, areas), width, height),

  /** Small things that stand out. */
  specks: async ({ file, width, height }) => specks(await pixelsOf(file), width, height),

  /** What the server found, and what of it the marks leave out. */
  decoded: ({ file }) => decoded(file),
  addition: async ({ levels, marks, width, height, areas, growth, file }) => {
    const asked = question(marks, width, height, areas);
    return addition(levels, asked, marks, await pixelsOf(file), width, height, growth);
  },
};

addEventListener("message", async ({ data: { number, kind, task } }) => {
  try {
    const answer = await tasks[kind](task);
    const parts = answer instanceof Map ? [...answer.values()] : [answer?.mask];
    postMessage({ number, answer }, parts.filter((each) => each instanceof Uint8Array).map((each) => each.buffer));
  } catch (error) {
    postMessage({ number, error: error.message });
  }
});
