/** What is done to all of the marks at once. Pure functions over one byte a cell; run in a worker. */

import { Grid, spreadOut } from "./grid.js";
import { grown } from "./grown.js";

const STRIP = 1 << 22; // pixels of a picture read at a time: far below what any canvas holds

/** @typedef {import("./shapes.js").Ink} Ink */

const ways = {
  /** Every cell through a table. */
  map(data, { table }) {
    const out = new Uint8Array(data.length);
    for (let i = 0; i < data.length; i++) out[i] = table[data[i]];
    return out;
  },

  /** What has any of `bits` grown by so many pixels, or shrunk. */
  grow(data, { width, height, bits, pixels, ink }) {
    const mask = grown(data, width, height, bits, pixels);
    return inked(data, pixels < 0 ? mask.map((value) => 1 - value) : mask, ink);
  },

  /** Ink where a mask of `across` times `down` pixels, which covers the photo, is not 0. */
  mask(data, { width, height, mask, across, down, ink }) {
    if (across === width && down === height) return inked(data, mask, ink);
    const columns = Int32Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * across) / width));
    const out = data.slice();
    for (let y = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * down) / height) * across;
      for (let x = 0; x < width; x++) {
        const i = y * width + x;
        if (mask[row + columns[x]]) out[i] = (out[i] & ~ink.clear) | ink.set;
      }
    }
    return out;
  },

  /** Ink where a picture, which covers the photo, is light and opaque. @param {{bitmap: ImageBitmap}} given */
  picture(data, { width, height, bitmap, ink }) {
    const rows = Math.max(1, Math.min(height, Math.floor(STRIP / width)));
    const context = new OffscreenCanvas(width, rows).getContext("2d", { willReadFrequently: true });
    context.imageSmoothingEnabled = false;
    const scale = bitmap.height / height;
    const out = data.slice();
    for (let top = 0; top < height; top += rows) {
      const count = Math.min(rows, height - top);
      context.clearRect(0, 0, width, rows);
      context.drawImage(bitmap, 0, top * scale, bitmap.width, count * scale, 0, 0, width, count);
      const pixels = context.getImageData(0, 0, width, count).data;
      for (let i = top * width, p = 0; p < pixels.length; i++, p += 4) {
        const light = (pixels[p] + pixels[p + 1] + pixels[p + 2]) / 3;
        if (light > 127 && pixels[p + 3] > 127) out[i] = (out[i] & ~ink.clear) | ink.set;
      }
    }
    bitmap.close();
    return out;
  },
};

/** @param {Uint8Array} data @param {Uint8Array} mask @param {Ink} ink */
export function inked(data, mask, ink) {
  const out = data.slice();
  for (let i = 0; i < out.length; i++) if (mask[i]) out[i] = (out[i] & ~ink.clear) | ink.set;
  return out;
}

/** @param {{marks: import("./grid.js").Plain, way: string}} task with what the way needs
 * @returns {import("./grid.js").Change} what is to be put into the cells */
export function altered({ marks, way, ...given }) {
  const { width, height } = marks;
  const data = spreadOut(marks);
  return new Grid(width, height).differences(data, ways[way](data, { width, height, ...given }));
}
