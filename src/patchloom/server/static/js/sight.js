/** A photo as objects are looked for in it: small, made once, and what the server finds there. */

import * as api from "./api.js";
import { aside } from "./aside.js";
import { HOLE } from "./cells.js";

const MOST_PIXELS = 400_000;

/** @typedef {{width: number, height: number, scale: number, file: Promise<Blob>}} Sight scale: of the photo */

/** @type {WeakMap<import("./picture.js").Picture, Sight>} */
const made = new WeakMap();

/** @param {import("./picture.js").Picture} picture @returns {Sight} */
export function sight(picture) {
  if (!made.has(picture)) {
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (picture.width * picture.height)));
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
    made.set(picture, { width, height, scale, file: drawn(picture, width, height) });
  }
  return made.get(picture);
}

async function drawn(picture, width, height) {
  await picture.makeCopies();
  const source = picture.bitmaps.findLast((each) => each.width >= width) ?? picture.bitmaps[0];
  const size = { resizeWidth: width, resizeHeight: height, resizeQuality: "high" };
  const bitmap = await createImageBitmap(source, size);
  return aside("photographed", { bitmap }, [bitmap]);
}

/** What the server finds. @param {Sight} seen @param {Promise<Blob>} asked @returns {Promise<Uint8Array>} levels */
export async function found(seen, asked, signal) {
  const [image, file] = await Promise.all([seen.file, asked]);
  return aside("decoded", { file: await api.select(image, file, signal) });
}

/** What is marked, in that size, 0 or 1 a pixel. @param {import("./cells.js").Cells} cells @param {Sight} seen */
export function sampled(cells, { width, height }) {
  const marks = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * cells.height) / height) * cells.width;
    for (let x = 0; x < width; x++) {
      if (cells.data[row + Math.floor(((x + 0.5) * cells.width) / width)] & HOLE) marks[y * width + x] = 1;
    }
  }
  return marks;
}
