/**
 * The marks as they are seen: hatched, with a light and a dark outline, so that they show on any photo and are
 * told apart without colour (holes /, "take" dots, "avoid" \).
 */

import { AVOID, HOLE, TAKE } from "./cells.js";

/** Colours of the hole that can be chosen, as [red, green, blue]. */
export const COLOURS = { red: [230, 30, 70], green: [0, 190, 90], yellow: [255, 205, 0] };

const TAKE_COLOUR = [0, 150, 230];
const AVOID_COLOUR = [110, 110, 120];
const LIGHT = rgba(255, 255, 255, 235);
const DARK = rgba(20, 20, 20, 235);
const LEAST_GROWTH = 1.5; // CSS pixels: a nearer second outline would not be seen
const STRAIGHT = 5; // chamfer distances: a step, and one across a corner
const CORNER = 7;

function rgba(red, green, blue, alpha) {
  return ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export class Overlay {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d");
    this.colour = "red";
  }

  /**
   * Draws the marks for a view; returns where the canvas belongs on the stage, or null if nothing shows.
   * @param {import("./cells.js").Cells} cells @param {import("./view.js").View} view
   * @param {{growth?: number, bare?: boolean}} how growth: a second outline as many photo pixels outside the hole;
   * bare: outlines only
   */
  draw(cells, view, { growth = 0, bare = false } = {}, bits = HOLE | TAKE | AVOID) {
    const bounds = cells.bounds(bits);
    if (!bounds) return null;
    const reach = growth * view.scale < LEAST_GROWTH ? 0 : growth * view.scale;
    const margin = Math.ceil(reach) + 2;
    const from = view.toStage({ x: bounds.left, y: bounds.top });
    const to = view.toStage({ x: bounds.right, y: bounds.bottom });
    const left = Math.max(0, Math.floor(from.x) - margin);
    const top = Math.max(0, Math.floor(from.y) - margin);
    const width = Math.min(view.stage.width, Math.ceil(to.x) + margin) - left;
    const height = Math.min(view.stage.height, Math.ceil(to.y) + margin) - top;
    if (width <= 0 || height <= 0) return null;
    const marks = sample(cells, view, left, top, width, height, bits);
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    paint(pixels, marks, left, top, width, height, bare ? null : this.inks());
    if (reach) ring(pixels, marks, left, top, width, height, reach);
    this.canvas.width = width;
    this.canvas.height = height;
    this.context.putImageData(image, 0, 0);
    return { left, top, width, height };
  }

  inks() {
    const shades = (colour) => [rgba(...colour, 150), rgba(...colour, 70)];
    return { hole: shades(COLOURS[this.colour]), take: shades(TAKE_COLOUR), avoid: shades(AVOID_COLOUR) };
  }
}

/** The marks under each pixel of a part of the stage, with a border of one pixel. */
function sample(cells, view, left, top, width, height, bits) {
  const depth = Math.max(0, Math.min(cells.levels.length - 1, Math.floor(Math.log2(1 / view.scale))));
  const level = cells.levels[depth];
  const step = 1 / (view.scale * 2 ** depth);
  const across = width + 2;
  const marks = new Uint8Array(across * (height + 2));
  const columns = new Int32Array(across);
  for (let x = 0; x < across; x++) {
    const column = Math.floor((x + left - 0.5 - view.x) * step);
    columns[x] = column >= 0 && column < level.width ? column : -1;
  }
  for (let y = 0; y < height + 2; y++) {
    const row = Math.floor((y + top - 0.5 - view.y) * step);
    if (row < 0 || row >= level.height) continue;
    const start = row * level.width;
    for (let x = 0; x < across; x++) {
      if (columns[x] >= 0) marks[y * across + x] = level.data[start + columns[x]] & bits;
    }
  }
  return marks;
}

/** Inside: pattern (without inks nothing), dark at the edge. Outside: a light line along the edge. */
function paint(pixels, marks, left, top, width, height, inks) {
  const across = width + 2;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = (y + 1) * across + x + 1;
      const mark = marks[i];
      const up = marks[i - across];
      const down = marks[i + across];
      const before = marks[i - 1];
      const after = marks[i + 1];
      if (mark) {
        const edge = up !== mark || down !== mark || before !== mark || after !== mark;
        pixels[y * width + x] = edge ? DARK : inks ? shade(mark, x + left, y + top, inks) : 0;
      } else if (up | down | before | after) {
        pixels[y * width + x] = LIGHT;
      }
    }
  }
}

function shade(mark, x, y, inks) {
  if (mark & HOLE) return inks.hole[(x + y) % 10 < 4 ? 0 : 1];
  if (mark & TAKE) return inks.take[x % 8 < 3 && y % 8 < 3 ? 0 : 1];
  return inks.avoid[(((x - y) % 10) + 10) % 10 < 4 ? 0 : 1];
}

/** A dashed line round the hole at `reach` CSS pixels: what is filled beyond the marks. */
function ring(pixels, marks, left, top, width, height, reach) {
  const across = width + 2;
  const limit = Math.round(reach * STRAIGHT);
  const away = distances(marks, across, limit + STRAIGHT);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = (y + 1) * across + x + 1;
      if (away[i] === 0 || away[i] > limit) continue;
      if (away[i - 1] <= limit && away[i + 1] <= limit && away[i - across] <= limit && away[i + across] <= limit) continue;
      pixels[y * width + x] = (x + left + y + top) % 8 < 4 ? LIGHT : DARK;
    }
  }
}

/** Chamfer distance to the hole in fifths of a pixel, up to `most`. What lies in the border of `marks` is not told. */
function distances(marks, across, most) {
  const out = new Uint16Array(marks.length);
  for (let i = 0; i < out.length; i++) out[i] = marks[i] & HOLE ? 0 : most;
  const sweep = (first, step) => {
    for (let row = out.length / across - 2, start = first; row > 0; row--, start += step * across) {
      for (let x = across - 2, i = start; x > 0; x--, i += step) {
        if (out[i] === 0) continue;
        const straight = Math.min(out[i - step], out[i - step * across]) + STRAIGHT;
        const corner = Math.min(out[i - step * (across + 1)], out[i - step * (across - 1)]) + CORNER;
        out[i] = Math.min(out[i], straight, corner);
      }
    }
  };
  sweep(across + 1, 1);
  sweep(out.length - across - 2, -1);
  return out;
}
