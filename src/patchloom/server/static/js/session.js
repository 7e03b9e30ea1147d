/** What the person is working on: a photo, its marks, the versions that were made of it, and the history of all. */

import { aside } from "./aside.js";
import { AVOID, Cells, DONE, HOLE, TAKE } from "./cells.js";
import { History } from "./history.js";

/**
 * A finished fill.
 * @typedef {{key: string, base: string, group: string, picture: import("./picture.js").Picture, mask: Blob,
 *   source: Blob | null, settings: object, quality: string, seed: number, seconds: number, gone: boolean,
 *   saved: boolean}} Version base: the picture it was made on ("" is the photo); group: what its other versions share
 */

const INKS = {
  hole: { set: HOLE, clear: 0 },
  take: { set: TAKE, clear: AVOID },
  avoid: { set: AVOID, clear: TAKE },
};
const BITS = { hole: HOLE, take: TAKE, avoid: AVOID };
const GROWTH = 250; // the photo's longer side per pixel that marks grow by themselves, as patchloom.mask.growth
const VALUES = Array.from({ length: 16 }, (_, value) => value);

export class Session extends EventTarget {
  constructor() {
    super();
    this.history = new History((step, forward) => this.act(step, forward));
    this.layer = "hole";
    this.filling = false; // while a fill runs, the marks it was given stay as they are
    this.growing = true;
    this.closed();
  }

  closed() {
    this.id = "";
    /** @type {Promise<void> | null} marks that are being grown; whoever asks for the marks waits for it */
    this.pending = null;
    this.photo = null;
    this.cells = null;
    this.name = "";
    /** @type {Map<string, Version>} */
    this.versions = new Map();
    this.current = ""; // key of the version on show; "" is the photo
    this.history.clear();
  }

  /** @param {import("./picture.js").Picture} picture @param {string} name of the file @param {string} id of the work */
  open(picture, name, id) {
    this.closed();
    this.id = id;
    this.photo = picture;
    this.name = name;
    this.cells = new Cells(picture.width, picture.height);
    this.changed("photo");
  }

  changed(what = "marks", step = null) {
    this.counted = null;
    this.dispatchEvent(new CustomEvent("change", { detail: { what, step } }));
  }

  /** The picture on show. */
  get picture() {
    return this.pictureOf(this.current);
  }

  pictureOf(key) {
    return this.versions.get(key)?.picture ?? this.photo;
  }

  /** What can be chosen from beside the one on show, itself included. */
  get siblings() {
    const group = this.versions.get(this.current)?.group;
    return [...this.versions.values()].filter((each) => each.group === group && !each.gone);
  }

  /** How many pixels marks grow by themselves before they are filled. */
  get growth() {
    if (!this.growing || !this.cells) return 0;
    return Math.max(1, Math.round(Math.max(this.cells.width, this.cells.height) / GROWTH));
  }

  /** The bits that a tool sets and clears. */
  ink(erase) {
    return erase ? { set: 0, clear: BITS[this.layer] } : INKS[this.layer];
  }

  /** Whether the marks stay as they are for now. */
  get locked() {
    return this.filling || this.pending !== null;
  }

  get bit() {
    return BITS[this.layer];
  }

  /** Does `draw` on the marks as one step that can be undone. @param {(cells: Cells) => void} draw */
  mark(draw) {
    if (!this.locked && this.cells) this.draw(draw);
  }

  /** As `mark`, whether or not marks are locked: what was asked for before they were. */
  draw(draw) {
    this.cells.begin();
    draw(this.cells);
    this.remember(this.cells.end());
  }

  /** @param {import("./cells.js").Change | null} change */
  remember(change, step = {}) {
    if (!change && !("after" in step)) return this.changed();
    const made = this.history.push({ change, before: this.current, after: this.current, gone: "", ...step });
    this.current = made.after;
    this.changed(made.before === made.after ? "marks" : "picture", made);
  }

  act(step, forward) {
    if (step.change) this.cells.swap(step.change);
    if (step.gone) this.versions.get(step.gone).gone = forward;
    const before = this.current;
    this.current = forward ? step.after : step.before;
    this.changed(before === this.current ? "marks" : "picture", step);
  }

  undo() {
    return this.locked ? null : this.history.undo();
  }

  redo() {
    return this.locked ? null : this.history.redo();
  }

  /** Puts back what a stroke under way has drawn. */
  dropStroke() {
    const change = this.cells.end();
    if (change) this.cells.swap(change);
    this.changed();
  }

  clear() {
    this.mapMarks((value) => value & ~BITS[this.layer]);
  }

  invert() {
    const { set, clear } = this.ink(false);
    this.mapMarks((value) => (value & set ? value & ~set : (value & ~clear) | set));
  }

  /** @param {(value: number) => number} rule */
  mapMarks(rule) {
    if (!this.locked && this.cells) this.remember(this.cells.mapAll(rule));
  }

  /** Grows what the tools mark by some pixels, or shrinks it. */
  async grow(pixels) {
    const { cells, bit } = this;
    const bounds = cells?.bounds(bit);
    if (!bounds || this.locked) return;
    const reach = Math.abs(pixels);
    const box = cells.clip({
      left: bounds.left - reach,
      top: bounds.top - reach,
      right: bounds.right + reach,
      bottom: bounds.bottom + reach,
    });
    const data = cells.copy(box);
    const size = { width: box.right - box.left, height: box.bottom - box.top };
    const grown = aside("grow", { data, ...size, bits: bit, pixels }, [data.buffer]);
    const ink = this.ink(pixels < 0);
    const pending = grown.then((mask) => {
      if (this.cells !== cells) return;
      this.draw(() => cells.stamp(pixels < 0 ? mask.map((value) => 1 - value) : mask, box, ink));
    });
    this.pending = pending;
    this.changed();
    await pending.finally(() => {
      if (this.pending === pending) this.pending = null;
      this.changed();
    });
  }

  /** Adds to the marks, or takes from them, what a mask of another size shows. */
  addMask(mask, width, height, erase = false) {
    const ink = this.ink(erase);
    this.mark((cells) => {
      const rows = Float64Array.from({ length: cells.height }, (_, y) => Math.floor(((y + 0.5) * height) / cells.height));
      const columns = Int32Array.from({ length: cells.width }, (_, x) => Math.floor(((x + 0.5) * width) / cells.width));
      const box = boxOf(mask, width, height, cells);
      if (!box) return;
      const cut = cells.touch(box);
      for (let y = cut.top; y < cut.bottom; y++) {
        for (let x = cut.left; x < cut.right; x++) {
          if (!mask[rows[y] * width + columns[x]]) continue;
          const i = y * cells.width + x;
          cells.data[i] = (cells.data[i] & ~ink.clear) | ink.set;
        }
      }
    });
  }

  /** A finished fill: its marks are done with, its picture is shown. @param {Version} version @param {Uint8Array | null}
   * mask what was filled, a byte a pixel; null for another version of what was filled before */
  finish(version, mask) {
    this.versions.set(version.key, version);
    let change = null;
    const bounds = mask && this.cells.bounds(HOLE | DONE);
    if (bounds) {
      const { cells } = this;
      const reach = version.growth;
      cells.begin();
      const box = cells.touch({
        left: bounds.left - reach,
        top: bounds.top - reach,
        right: bounds.right + reach,
        bottom: bounds.bottom + reach,
      });
      for (let y = box.top; y < box.bottom; y++) {
        for (let i = y * cells.width + box.left; i < y * cells.width + box.right; i++) {
          if (mask[i]) cells.data[i] = (cells.data[i] & ~HOLE) | DONE;
        }
      }
      change = cells.end();
    }
    this.remember(change, { after: version.key });
  }

  /** Shows another version. */
  choose(key) {
    if (key !== this.current && !this.locked) this.remember(null, { after: key });
  }

  /** Takes a version out of the strip; undo brings it back. */
  remove(key) {
    const rest = this.siblings.filter((each) => each.key !== key);
    const version = this.versions.get(key);
    if (this.locked || !version) return;
    version.gone = true;
    const after = this.current === key ? (rest[0]?.key ?? version.base) : this.current;
    this.remember(null, { after, gone: key });
  }

  /** The hole and its file, grown as the person sees it. @param {boolean} all with the marks of earlier fills */
  async hole(all, pixels = this.growth) {
    await this.pending;
    const { width, height } = this.cells;
    const data = this.cells.data.slice();
    return aside("hole", { data, width, height, bits: HOLE, kept: all ? DONE : 0, pixels }, [data.buffer]);
  }

  /** What is marked, as a PNG. */
  async maskFile() {
    await this.pending;
    const bits = this.cells.any(HOLE) ? HOLE : HOLE | DONE;
    return this.file((value) => (value & bits) !== 0);
  }

  /** Where texture may come from, as a PNG; null if nothing limits it. */
  async sourceFile() {
    await this.pending;
    const take = this.cells.any(TAKE);
    if (!take && !this.cells.any(AVOID)) return null;
    return this.file(take ? (value) => (value & (TAKE | AVOID)) === TAKE : (value) => (value & AVOID) === 0);
  }

  file(white) {
    const { width, height } = this.cells;
    const data = this.cells.data.slice();
    return aside("mask", { data, width, height, white: VALUES.filter(white) }, [data.buffer]);
  }

  /** How much is marked, counted once after each change. */
  get summary() {
    this.counted ??= {
      share: this.cells.count(HOLE) / (this.cells.width * this.cells.height),
      areas: this.cells.areas(HOLE),
      done: this.cells.any(DONE),
      limited: this.cells.any(TAKE | AVOID),
    };
    return this.counted;
  }
}

/** The box of `cells` that a mask of another size covers. */
function boxOf(mask, width, height, cells) {
  let left = width;
  let top = height;
  let right = -1;
  let bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!mask[y * width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return null;
  const across = cells.width / width;
  const down = cells.height / height;
  return { left: left * across, top: top * down, right: (right + 1) * across, bottom: (bottom + 1) * down };
}
