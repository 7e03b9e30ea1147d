/** Small things that stand out on plain ground: specks, spots, lone birds, litter. Pure functions, run in the worker. */

import { distances, parts } from "./outlines.js";

const NEAR = 14; // pixels about a pixel that are its ground
const STANDS_OUT = 14; // levels: how far a colour is from its ground's,
const OF_SPREAD = 4; // and how many times the ground's own spread
const CLEAR = 36; // levels: how far a thing is from its ground in the mean
const LEAST = 7; // pixels
const MOST_SHARE = 0.0015; // of the picture
const GAP = 3; // pixels about a thing, its soft rim
const RING = 7; // pixels beyond, in which its ground is looked at
const PLAIN = 9; // levels of spread in it, at most
const MARGIN = 2; // pixels that are marked with it
const MANY = 16; // so many are no things but a texture
const SHOWN = 6;

/** @param {Uint8ClampedArray} pixels RGBA @returns {Uint8Array[]} masks, that which stands out most first */
export function specks(pixels, width, height) {
  const count = width * height;
  const channels = [0, 1, 2].map((channel) => Float32Array.from({ length: count }, (_, i) => pixels[4 * i + channel]));
  const apart = new Float32Array(count);
  const spread = new Float32Array(count);
  for (const values of channels) {
    const mean = blurred(values, width, height);
    const square = blurred(values.map((value) => value * value), width, height);
    for (let i = 0; i < count; i++) {
      apart[i] = Math.max(apart[i], Math.abs(values[i] - mean[i]));
      spread[i] = Math.max(spread[i], Math.sqrt(Math.max(0, square[i] - mean[i] * mean[i])));
    }
  }
  const mask = Uint8Array.from(apart, (value, i) => (value > STANDS_OUT && value > OF_SPREAD * spread[i] ? 1 : 0));
  const found = [...parts(joined(mask, width, height), width, height)]
    .map((part) => judged(part, channels, width, height))
    .filter(Boolean);
  if (found.length > MANY) return [];
  return found.sort((a, b) => b.score - a.score).slice(0, SHOWN).map((each) => each.mask);
}

/** A part with its surroundings: how much it stands out; null if it is large, at the border or on uneven ground. */
function judged(part, channels, width, height) {
  if (part.length < LEAST || part.length > MOST_SHARE * width * height) return null;
  const columns = part.map((i) => i % width);
  const rows = part.map((i) => Math.floor(i / width));
  const reach = GAP + RING;
  const left = Math.min(...columns) - reach;
  const top = Math.min(...rows) - reach;
  const right = Math.max(...columns) + reach + 1;
  const bottom = Math.max(...rows) + reach + 1;
  if (left < 0 || top < 0 || right > width || bottom > height) return null;
  const [across, down] = [right - left, bottom - top];
  const own = new Uint8Array(across * down);
  part.forEach((_, k) => (own[(rows[k] - top) * across + columns[k] - left] = 1));
  const away = distances(own, across, down, 1);
  const at = (k) => (top + Math.floor(k / across)) * width + left + (k % across);
  const ring = [...away.keys()].filter((k) => away[k] > GAP && away[k] <= reach).map(at);
  const ground = channels.map((values) => statistics(values, ring));
  const noise = Math.max(...ground.map((each) => each.spread));
  const contrast = Math.max(...channels.map((values, c) => Math.abs(statistics(values, part).mean - ground[c].mean)));
  if (noise > PLAIN || contrast < CLEAR) return null;
  const mask = new Uint8Array(width * height);
  for (let k = 0; k < away.length; k++) if (away[k] <= MARGIN) mask[at(k)] = 1;
  return { mask, score: (contrast / (noise + 3)) * Math.sqrt(part.length) };
}

function statistics(values, where) {
  const mean = where.reduce((sum, i) => sum + values[i], 0) / where.length;
  const square = where.reduce((sum, i) => sum + (values[i] - mean) ** 2, 0) / where.length;
  return { mean, spread: Math.sqrt(square) };
}

/** What is less than three pixels apart is one. */
function joined(mask, width, height) {
  return distances(mask, width, height, 1).map((away) => (away <= 1 ? 1 : 0));
}

/** The mean about each pixel, from sums over rows and columns. */
function blurred(values, width, height) {
  const along = lines(values, width, height, 1, width);
  return lines(along, height, width, width, 1);
}

/** Running means of lines of `length` values that lie `step` apart; the lines begin `stride` apart. */
function lines(values, length, count, step, stride) {
  const out = new Float32Array(values.length);
  for (let line = 0; line < count; line++) {
    let sum = 0;
    let [from, to] = [0, 0];
    for (let i = 0; i < length; i++) {
      for (; to < Math.min(length, i + NEAR + 1); to++) sum += values[line * stride + to * step];
      for (; from < i - NEAR; from++) sum -= values[line * stride + from * step];
      out[line * stride + i * step] = sum / (to - from);
    }
  }
  return out;
}
