/**
 * What is marked on the photo: one byte a pixel, at the photo's own size, whatever a canvas could hold.
 *
 * Bits say what a pixel is marked as. The cells are kept account of in tiles: whether all of a tile are equal, and
 * how many have each bit, so that nothing done to a large photo has to look at all of it. A pyramid of halved
 * copies (a coarse cell has the bits of the four below it) lets thin marks show when the photo is seen from afar;
 * it is brought up to date when it is looked at. Changes are made between begin() and end(), which returns what
 * undo needs: the tiles that were touched, as they were.
 */

import { Grid, TILE, packed } from "./grid.js";

export const HOLE = 1;
export const TAKE = 2;
export const AVOID = 4;
export const DONE = 8;

const BITS = [HOLE, TAKE, AVOID, DONE];
const VALUES = 16;
const SMALLEST = 64;
const MOST_COUNTED = 1 << 18;
const MIXED = -1;

/** @typedef {import("./grid.js").Box} Box */
/** @typedef {import("./grid.js").Change} Change */

export class Cells extends Grid {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    super(width, height);
    /** Of each tile: the value all its cells have, or MIXED. */
    this.same = new Int8Array(this.tiles);
    /** Of each tile: how many cells have each bit. */
    this.counts = new Uint16Array(this.tiles * BITS.length);
    this.totals = BITS.map(() => 0);
    /** @type {{width: number, height: number, data: Uint8Array}[]} finest first */
    this.pyramid = [];
    for (let w = width, h = height; ; w = Math.ceil(w / 2), h = Math.ceil(h / 2)) {
      this.pyramid.push({ width: w, height: h, data: new Uint8Array(w * h) });
      if (Math.max(w, h) <= SMALLEST) break;
    }
    this.data = this.pyramid[0].data;
    /** @type {Box | null} where the coarser levels are not up to date */
    this.stale = null;
    /** @type {Change | null} */
    this.change = null;
  }

  /** The halved copies, finest first, up to date. */
  get levels() {
    if (this.stale) this.refresh(this.stale);
    this.stale = null;
    return this.pyramid;
  }

  begin() {
    this.change = new Map();
  }

  /** @returns {Change | null} for swap(), or null if nothing was touched */
  end() {
    const change = this.change;
    this.change = null;
    if (!change || change.size === 0) return null;
    for (const [tile, content] of change) {
      change.set(tile, packed(content));
      this.tally(tile);
    }
    return change;
  }

  /** Undoes a change, or does it again: what `change` holds and what is there change places. @param {Change} change */
  swap(change) {
    const now = [...change.keys()].map((tile) => [tile, this.content(tile)]);
    this.restore(change);
    for (const [tile, content] of now) change.set(tile, content);
  }

  /** Sets and clears bits in one row from x0 up to, not including, x1. */
  span(y, x0, x1, set, clear) {
    if (y < 0 || y >= this.height) return;
    const start = y * this.width + Math.max(0, x0);
    const stop = y * this.width + Math.min(this.width, x1);
    const keep = ~clear;
    for (let i = start; i < stop; i++) this.data[i] = (this.data[i] & keep) | set;
  }

  /** Remembers the tiles of a box before they are written; returns the box cut to the photo. @param {Box} box */
  touch(box) {
    const cut = this.clip(box);
    for (let ty = Math.floor(cut.top / TILE); ty * TILE < cut.bottom; ty++) {
      for (let tx = Math.floor(cut.left / TILE); tx * TILE < cut.right; tx++) {
        const tile = ty * this.tilesAcross + tx;
        if (this.change && !this.change.has(tile)) this.change.set(tile, this.content(tile));
      }
    }
    this.markStale(cut);
    return cut;
  }

  /** The marked tiles, to be kept. @returns {Change} */
  snapshot() {
    const marked = new Map();
    for (let tile = 0; tile < this.tiles; tile++) if (this.same[tile] !== 0) marked.set(tile, this.content(tile));
    return marked;
  }

  /** All that there is to know, to be sent to the worker. @returns {import("./grid.js").Plain} */
  get plain() {
    return { width: this.width, height: this.height, tiles: this.snapshot() };
  }

  /** Puts in the contents of some tiles. @param {Change} contents */
  restore(contents) {
    for (const [box, content] of this.joined(contents)) {
      this.markStale(box);
      this.put(this.data, box, content);
    }
    for (const [tile, content] of contents) this.tally(tile, content);
  }

  /** Whether any cell has any of the bits. */
  any(bits) {
    return BITS.some((bit, index) => bit & bits && this.totals[index] > 0);
  }

  /** How many cells have the bit. */
  count(bit) {
    return this.totals[BITS.indexOf(bit)];
  }

  /** The smallest box round all cells with any of the bits (within eight pixels), or null. */
  bounds(bits) {
    const found = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
    for (let tile = 0; tile < this.tiles; tile++) {
      if (!this.mayHave(tile, bits)) continue;
      const box = this.tileBox(tile);
      const { left, top, right, bottom } = box;
      if (left >= found.left && top >= found.top && right <= found.right && bottom <= found.bottom) continue;
      if (this.equal(tile) === MIXED) this.widen(found, box, bits);
      else Object.assign(found, union(found, box));
    }
    return found.right > found.left ? this.clip(found) : null;
  }

  mayHave(tile, bits) {
    return this.change?.has(tile) || BITS.some((bit, at) => bit & bits && this.counts[tile * BITS.length + at] > 0);
  }

  /** Widens `found` by what has any of the bits within a tile's box. */
  widen(found, { left, top, right, bottom }, bits) {
    const depth = Math.min(3, this.levels.length - 1);
    const { width, data } = this.levels[depth];
    const scale = 2 ** depth;
    for (let y = top / scale; y < bottom / scale; y++) {
      for (let x = left / scale; x < right / scale; x++) {
        if (!(data[y * width + x] & bits)) continue;
        const cell = { left: x * scale, top: y * scale, right: (x + 1) * scale, bottom: (y + 1) * scale };
        Object.assign(found, union(found, cell));
      }
    }
  }

  /** How many separate areas have any of the bits; on a large photo, as seen from a little afar. */
  areas(bits) {
    const level = this.levels.find((each) => each.data.length <= MOST_COUNTED) ?? this.levels.at(-1);
    const { width, height, data } = level;
    const seen = new Uint8Array(data.length);
    const stack = [];
    const visit = (i) => {
      if (seen[i] || !(data[i] & bits)) return;
      seen[i] = 1;
      stack.push(i);
    };
    let count = 0;
    for (let start = 0; start < data.length; start++) {
      if (seen[start] || !(data[start] & bits)) continue;
      count++;
      visit(start);
      while (stack.length) {
        const i = stack.pop();
        const x = i % width;
        if (x > 0) visit(i - 1);
        if (x < width - 1) visit(i + 1);
        if (i >= width) visit(i - width);
        if (i < width * (height - 1)) visit(i + width);
      }
    }
    return count;
  }

  /** Rebuilds the coarser levels over a box: equal tiles at one go, the others cell by cell. @param {Box} box */
  refresh(box) {
    const cut = this.clip(box);
    for (let k = 1; k < this.pyramid.length; k++) {
      const side = TILE >> k;
      if (side === 0) {
        this.halve(k, cut.left >> k, cut.top >> k, (cut.right >> k) + 1, (cut.bottom >> k) + 1);
        continue;
      }
      for (let ty = Math.floor(cut.top / TILE); ty * TILE < cut.bottom; ty++) {
        for (let tx = Math.floor(cut.left / TILE); tx * TILE < cut.right; ) {
          const value = this.equal(ty * this.tilesAcross + tx);
          let end = tx + 1;
          while (end * TILE < cut.right && this.equal(ty * this.tilesAcross + end) === value) end++;
          this.halve(k, tx * side, ty * side, end * side, (ty + 1) * side, value);
          tx = end;
        }
      }
    }
  }

  /** The value that all cells of a tile have, or MIXED where that is not known. */
  equal(tile) {
    return this.change?.has(tile) ? MIXED : this.same[tile];
  }

  /** Rebuilds one level over a box of its own cells, from the finer one, or with a value that all of them have. */
  halve(k, left, top, right, bottom, value = MIXED) {
    const fine = this.pyramid[k - 1];
    const coarse = this.pyramid[k];
    right = Math.min(right, coarse.width);
    bottom = Math.min(bottom, coarse.height);
    for (let y = top; y < bottom; y++) {
      const row = y * coarse.width;
      if (value !== MIXED) {
        coarse.data.fill(value, row + left, row + right);
        continue;
      }
      const upper = 2 * y * fine.width;
      const lower = 2 * y + 1 < fine.height ? upper + fine.width : upper;
      for (let x = left; x < right; x++) {
        const a = 2 * x;
        const b = a + 1 < fine.width ? a + 1 : a;
        coarse.data[row + x] = fine.data[upper + a] | fine.data[upper + b] | fine.data[lower + a] | fine.data[lower + b];
      }
    }
  }

  markStale(box) {
    this.stale = union(this.stale ?? box, box);
  }

  /** A tile as it is now. @returns {Uint8Array | number} */
  content(tile) {
    return this.equal(tile) === MIXED ? this.cut(this.data, this.tileBox(tile)) : this.same[tile];
  }

  /** Counts a tile anew. @param {Uint8Array | number} content what is in it, if that is known */
  tally(tile, content = this.cut(this.data, this.tileBox(tile))) {
    const { left, top, right, bottom } = this.tileBox(tile);
    const found = new Uint16Array(VALUES);
    if (typeof content === "number") found[content] = (right - left) * (bottom - top);
    else for (let i = 0; i < content.length; i++) found[content[i]]++;
    const most = found.indexOf(Math.max(...found));
    this.same[tile] = found[most] === (right - left) * (bottom - top) ? most : MIXED;
    for (let index = 0; index < BITS.length; index++) {
      let count = 0;
      for (let value = 0; value < VALUES; value++) if (value & BITS[index]) count += found[value];
      this.totals[index] += count - this.counts[tile * BITS.length + index];
      this.counts[tile * BITS.length + index] = count;
    }
  }
}

/** @param {Box} a @param {Box} b @returns {Box} the smallest that has both in it */
function union(a, b) {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
