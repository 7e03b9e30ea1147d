/**
 * What is marked on the photo: one byte a pixel, at the photo's own size, whatever a canvas could hold.
 *
 * Bits say what a pixel is marked as. A pyramid of halved copies (a coarse cell has the bits of the four below it)
 * lets thin marks show when the photo is seen from afar. Changes are made between begin() and end(), which
 * returns what undo needs: the tiles that were touched, as they were.
 */

export const HOLE = 1;
export const TAKE = 2;
export const AVOID = 4;
export const DONE = 8;

const TILE = 128;
const SMALLEST = 64;
const MOST_COUNTED = 1 << 20;

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box half open, in photo pixels */
/** @typedef {Map<number, Uint8Array | number>} Change tile number -> its other content (a number: all equal) */

export class Cells {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.tilesAcross = Math.ceil(width / TILE);
    /** @type {{width: number, height: number, data: Uint8Array}[]} finest first */
    this.levels = [];
    for (let w = width, h = height; ; w = Math.ceil(w / 2), h = Math.ceil(h / 2)) {
      this.levels.push({ width: w, height: h, data: new Uint8Array(w * h) });
      if (Math.max(w, h) <= SMALLEST) break;
    }
    this.data = this.levels[0].data;
    /** @type {Change | null} */
    this.change = null;
  }

  begin() {
    this.change = new Map();
  }

  /** @returns {Change | null} for swap(), or null if nothing was touched */
  end() {
    const change = this.change;
    this.change = null;
    if (!change || change.size === 0) return null;
    for (const [tile, content] of change) change.set(tile, packed(content));
    return change;
  }

  /** Undoes a change, or does it again: what `change` holds and what is there change places. @param {Change} change */
  swap(change) {
    for (const [tile, content] of change) {
      const box = this.tileBox(tile);
      const now = packed(this.copy(box));
      this.put(box, content);
      change.set(tile, now);
      this.refresh(box);
    }
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
        if (this.change && !this.change.has(tile)) this.change.set(tile, this.copy(this.tileBox(tile)));
      }
    }
    return cut;
  }

  /** Rebuilds the coarser levels over a box. @param {Box} box */
  refresh(box) {
    let { left, top, right, bottom } = this.clip(box);
    for (let k = 1; k < this.levels.length; k++) {
      const fine = this.levels[k - 1];
      const coarse = this.levels[k];
      left >>= 1;
      top >>= 1;
      right = Math.min(coarse.width, (right + 1) >> 1);
      bottom = Math.min(coarse.height, (bottom + 1) >> 1);
      for (let y = top; y < bottom; y++) {
        const upper = 2 * y * fine.width;
        const lower = 2 * y + 1 < fine.height ? upper + fine.width : upper;
        for (let x = left; x < right; x++) {
          const a = 2 * x;
          const b = a + 1 < fine.width ? a + 1 : a;
          coarse.data[y * coarse.width + x] =
            fine.data[upper + a] | fine.data[upper + b] | fine.data[lower + a] | fine.data[lower + b];
        }
      }
    }
  }

  /** One change over the whole photo: every cell becomes what `rule` makes of it. @param {(value: number) => number} rule */
  mapAll(rule) {
    const table = Uint8Array.from({ length: 16 }, (_, value) => rule(value));
    this.begin();
    const all = this.touch({ left: 0, top: 0, right: this.width, bottom: this.height });
    for (let i = 0; i < this.data.length; i++) this.data[i] = table[this.data[i]];
    this.refresh(all);
    return this.end();
  }

  /** The smallest box round all cells with any of the bits, or null. */
  bounds(bits) {
    const coarse = this.levels[Math.min(3, this.levels.length - 1)];
    const scale = 2 ** Math.min(3, this.levels.length - 1);
    let left = Infinity;
    let top = Infinity;
    let right = -1;
    let bottom = -1;
    for (let y = 0; y < coarse.height; y++) {
      for (let x = 0; x < coarse.width; x++) {
        if (coarse.data[y * coarse.width + x] & bits) {
          if (x < left) left = x;
          if (x > right) right = x;
          if (y < top) top = y;
          bottom = y;
        }
      }
    }
    if (right < 0) return null;
    return this.clip({
      left: left * scale,
      top: top * scale,
      right: (right + 1) * scale,
      bottom: (bottom + 1) * scale,
    });
  }

  /** How many cells have any of the bits. */
  count(bits) {
    const box = this.bounds(bits);
    if (!box) return 0;
    let count = 0;
    for (let y = box.top; y < box.bottom; y++) {
      const stop = y * this.width + box.right;
      for (let i = y * this.width + box.left; i < stop; i++) if (this.data[i] & bits) count++;
    }
    return count;
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

  /** @param {Box} box */
  clip(box) {
    return {
      left: Math.max(0, Math.floor(box.left)),
      top: Math.max(0, Math.floor(box.top)),
      right: Math.min(this.width, Math.ceil(box.right)),
      bottom: Math.min(this.height, Math.ceil(box.bottom)),
    };
  }

  tileBox(tile) {
    const left = (tile % this.tilesAcross) * TILE;
    const top = Math.floor(tile / this.tilesAcross) * TILE;
    return this.clip({ left, top, right: left + TILE, bottom: top + TILE });
  }

  copy({ left, top, right, bottom }) {
    const across = right - left;
    const content = new Uint8Array(across * (bottom - top));
    for (let y = top; y < bottom; y++) {
      const row = y * this.width;
      content.set(this.data.subarray(row + left, row + right), (y - top) * across);
    }
    return content;
  }

  put({ left, top, right, bottom }, content) {
    const across = right - left;
    for (let y = top; y < bottom; y++) {
      const row = y * this.width;
      if (typeof content === "number") this.data.fill(content, row + left, row + right);
      else this.data.set(content.subarray((y - top) * across, (y - top + 1) * across), row + left);
    }
  }
}

/** A tile whose cells are all equal as that number. @param {Uint8Array | number} content */
function packed(content) {
  if (typeof content === "number") return content;
  const first = content[0];
  return content.every((value) => value === first) ? first : content;
}
