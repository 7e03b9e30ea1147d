/**
 * What is marked on the photo: one byte a pixel, at the photo's own size, whatever a canvas could hold.
 *
 * Bits say what a pixel is marked as. The cells are kept account of in tiles: whether all of a tile are equal, and
 * how many have each bit, so that nothing done to a large photo has to look at all of it. A pyramid of halved
 * copies (a coarse cell has the bits of the four below it) lets thin marks show when the photo is seen from afar;
 * it is brought up to date when it is looked at. Changes are made between begin() and end(), which returns what
 * undo needs: the tiles that were touched, as they were.
 */

export const HOLE = 1;
export const TAKE = 2;
export const AVOID = 4;
export const DONE = 8;

const BITS = [HOLE, TAKE, AVOID, DONE];
const VALUES = 16;
const TILE = 128;
const SMALLEST = 64;
const MOST_COUNTED = 1 << 18;
const MIXED = -1;

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box half open, in photo pixels */
/** @typedef {Map<number, Uint8Array | number>} Change tile number -> its other content (a number: all equal) */

export class Cells {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.tilesAcross = Math.ceil(width / TILE);
    this.tiles = this.tilesAcross * Math.ceil(height / TILE);
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

  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
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
    for (const [tile, content] of change) {
      const now = this.content(tile);
      this.replace(tile, content);
      change.set(tile, now);
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
        if (this.change && !this.change.has(tile)) this.change.set(tile, this.content(tile));
      }
    }
    this.markStale(cut);
    return cut;
  }

  /** One change over the whole photo: every cell becomes what `rule` makes of it. @param {(value: number) => number} rule */
  mapAll(rule) {
    const table = Uint8Array.from({ length: VALUES }, (_, value) => rule(value));
    const change = new Map();
    for (let tile = 0; tile < this.tiles; tile++) {
      const before = this.content(tile);
      const after = mapped(before, table);
      if (after === before) continue;
      change.set(tile, before);
      this.replace(tile, after);
    }
    return change.size ? change : null;
  }

  /** Draws a mask into the cells: `ink` where `mask` (one byte a cell of `box`) is not 0. Between begin() and end(). */
  stamp(mask, box, ink) {
    this.touch(box);
    const across = box.right - box.left;
    for (let y = box.top; y < box.bottom; y++) {
      const from = (y - box.top) * across;
      const to = y * this.width + box.left;
      for (let x = 0; x < across; x++) {
        if (mask[from + x]) this.data[to + x] = (this.data[to + x] & ~ink.clear) | ink.set;
      }
    }
  }

  /** The marked tiles, to be kept. @returns {Change} */
  snapshot() {
    const marked = new Map();
    for (let tile = 0; tile < this.tiles; tile++) if (this.same[tile] !== 0) marked.set(tile, this.content(tile));
    return marked;
  }

  /** Puts back what snapshot() gave, into cells without marks. @param {Change} marked */
  restore(marked) {
    for (const [tile, content] of marked) this.replace(tile, content);
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
    if (!this.any(bits)) return null;
    const depth = Math.min(3, this.levels.length - 1);
    const { width, height, data } = this.levels[depth];
    const scale = 2 ** depth;
    let left = Infinity;
    let top = Infinity;
    let right = -1;
    let bottom = -1;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (data[y * width + x] & bits) {
          if (x < left) left = x;
          if (x > right) right = x;
          if (y < top) top = y;
          bottom = y;
        }
      }
    }
    return this.clip({
      left: left * scale,
      top: top * scale,
      right: (right + 1) * scale,
      bottom: (bottom + 1) * scale,
    });
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
        for (let tx = Math.floor(cut.left / TILE); tx * TILE < cut.right; tx++) {
          this.halve(k, tx * side, ty * side, (tx + 1) * side, (ty + 1) * side, this.equal(ty * this.tilesAcross + tx));
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

  markStale(box) {
    const old = this.stale ?? box;
    this.stale = {
      left: Math.min(old.left, box.left),
      top: Math.min(old.top, box.top),
      right: Math.max(old.right, box.right),
      bottom: Math.max(old.bottom, box.bottom),
    };
  }

  /** A tile as it is now. @returns {Uint8Array | number} */
  content(tile) {
    return this.equal(tile) === MIXED ? this.copy(this.tileBox(tile)) : this.same[tile];
  }

  replace(tile, content) {
    const box = this.tileBox(tile);
    this.put(box, content);
    this.markStale(box);
    this.tally(tile, content);
  }

  /** Counts a tile anew. @param {Uint8Array | number} content what is in it, if that is known */
  tally(tile, content = this.copy(this.tileBox(tile))) {
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

/** A tile through a table; itself if that changes nothing. @param {Uint8Array | number} content */
function mapped(content, table) {
  if (typeof content === "number") return table[content];
  const out = new Uint8Array(content.length);
  let changed = false;
  for (let i = 0; i < content.length; i++) {
    out[i] = table[content[i]];
    changed ||= out[i] !== content[i];
  }
  return changed ? out : content;
}

/** A tile whose cells are all equal as that number. @param {Uint8Array | number} content */
function packed(content) {
  if (typeof content === "number") return content;
  const first = content[0];
  for (let i = 1; i < content.length; i++) if (content[i] !== first) return content;
  return first;
}
