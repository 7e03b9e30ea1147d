/** What the person is working on: a photo, its marks, the versions that were made of it, and the history of all. */

import { aside } from "./aside.js";
import { AVOID, Cells, DONE, HOLE, TAKE } from "./cells.js";
import { History } from "./history.js";

/**
 * A finished fill.
 * @typedef {{key: string, number: number, base: string, group: string, picture: import("./picture.js").Picture, mask: Blob,
 *   source: Blob | null, settings: object, quality: string, seed: number, seconds: number, gone: boolean,
 *   saved: boolean}} Version base: the picture it was made on ("" is the photo); group: what its other versions share;
 *   number: its own among them, which it keeps
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
    this.filling = false; // while a fill runs, no other picture is chosen
    this.growing = true;
    this.closed();
  }

  closed() {
    this.stroke?.end();
    this.id = "";
    /** What is being worked out beside the page; whoever asks for the marks waits for it. @type {Set<Promise<any>>} */
    this.works = new Set();
    /** The last of what waits for its turn to change the marks. @type {Promise<any> | null} */
    this.last = null;
    /** The stroke that is being drawn. @type {{over: Promise<void>, end: () => void} | null} */
    this.stroke = null;
    this.photo = null;
    this.cells = null;
    this.name = "";
    /** @type {Map<string, Version>} */
    this.versions = new Map();
    this.current = ""; // key of the version on show; "" is the photo
    /** Other pictures that fills may take from. @type {File[]} */
    this.others = [];
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

  /** @param {string} what @param {import("./history.js").Step[]} steps that are new, or changed */
  changed(what = "marks", ...steps) {
    if (what !== "busy") this.counted = null;
    this.dispatchEvent(new CustomEvent("change", { detail: { what, steps } }));
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

  /** The way from the photo ("") to what is shown, and on to what was made of that last: keys. @returns {string[]} */
  get steps() {
    const way = (key) => (key ? [...way(this.versions.get(key)?.base ?? ""), key] : [""]);
    const ways = [...this.versions.values()].filter((each) => !each.gone).map((each) => way(each.key));
    return ways.findLast((keys) => keys.includes(this.current)) ?? [""];
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

  get bit() {
    return BITS[this.layer];
  }

  /**
   * Changes marks in the order in which that was asked for: at once if nothing is under way, else after it.
   * @template T @param {() => T} act @returns {T | Promise<T | null>}
   */
  turn(act) {
    const { cells } = this;
    const before = this.last ?? this.stroke?.over;
    const done = before ? before.then(() => (this.cells === cells ? act() : null)) : act();
    if (!(done instanceof Promise)) return done;
    const last = done.catch(() => {}).then(() => {
      if (this.last === last) this.last = null;
    });
    this.last = last;
    return this.during(done);
  }

  /** Shows that the page is busy until `work` is done. @template T @param {Promise<T>} work @returns {Promise<T>} */
  async during(work) {
    const { works } = this;
    works.add(work);
    this.changed("busy");
    try {
      return await work;
    } finally {
      works.delete(work);
      this.changed("busy");
    }
  }

  /** Waits until nothing is being worked out. */
  async settled() {
    while (this.works.size) await Promise.allSettled(this.works);
  }

  /** Does `draw` on the marks as one step that can be undone. @param {(cells: Cells) => void} draw */
  mark(draw) {
    if (!this.cells) return;
    this.turn(() => {
      this.cells.begin();
      draw(this.cells);
      this.remember(this.cells.end());
    });
  }

  /** A stroke begins to draw. What is to change the marks meanwhile waits for its end. */
  beginStroke() {
    this.cells.begin();
    this.stroke = {};
    this.stroke.over = new Promise((resolve) => (this.stroke.end = resolve));
  }

  /** @param {boolean} kept false: as if it had never been */
  endStroke(kept = true) {
    const change = this.cells.end();
    const { stroke } = this;
    this.stroke = null;
    if (kept) this.remember(change);
    else if (change) this.cells.swap(change);
    if (!kept) this.changed();
    stroke.end();
  }

  /**
   * Does to all marks what one of the ways of alter.js does, as one step, in the worker. Whoever calls it has its turn.
   * @param {string} way @param {object} given what the way needs @param {object} step what else changes with it
   * @returns {Promise<import("./cells.js").Change | null>}
   */
  async alter(way, given, step = {}) {
    const { cells } = this;
    const moved = given.bitmap ? [given.bitmap] : [];
    const change = await aside("alter", { marks: cells.plain, way, ...given }, moved);
    if (this.cells !== cells) return null;
    cells.swap(change);
    const made = change.size ? change : null;
    this.remember(made, step);
    return made;
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
    this.turn(() => this.history.undo());
  }

  redo() {
    this.turn(() => this.history.redo());
  }

  clear() {
    this.map((value) => value & ~this.bit);
  }

  invert() {
    const { set, clear } = this.ink(false);
    this.map((value) => (value & set ? value & ~set : (value & ~clear) | set));
  }

  /** @param {(value: number) => number} rule */
  map(rule) {
    const table = VALUES.map(rule);
    if (this.cells) this.turn(() => this.alter("map", { table }));
  }

  /** Grows what the tools mark by some pixels, or shrinks it. */
  grow(pixels) {
    const task = { bits: this.bit, pixels, ink: this.ink(pixels < 0) };
    if (this.cells) this.turn(() => this.alter("grow", task));
  }

  /**
   * Gives what is marked to a fill: the marks are done with, and what is marked from now on is the next fill's.
   * @param {string} key of the version that it becomes @param {boolean} all with the marks of earlier fills
   * @param {number} pixels by which marks grow
   * @returns {Promise<{mask: Uint8Array, count: number, file: Blob, marks: Cells}>} the hole, a byte a pixel, and as a
   * file; and the marks
   */
  give(key, all, pixels) {
    return this.turn(async () => {
      const { cells, history } = this;
      const given = history.given(key); // before the page was loaded again
      const marks = new Cells(cells.width, cells.height);
      marks.restore(cells.snapshot());
      if (given) for (const step of history.since(given).reverse()) marks.restore(step.change ?? new Map());
      const task = { marks: marks.plain, bits: HOLE, kept: all ? DONE : 0, pixels, ink: { set: DONE, clear: HOLE } };
      const { change, ...hole } = await aside("hole", task);
      if (!given && this.cells === cells && change.size) {
        cells.swap(change);
        this.remember(change, { fill: key });
      }
      return { ...hole, marks };
    });
  }

  /** A fill has come to nothing: the marks that it was given are back. @param {string} key of its version */
  takeBack(key) {
    return this.turn(() => {
      const step = this.history.given(key);
      if (!step) return;
      const made = this.history.withdraw(step, this.cells);
      this.changed("marks", ...(made ? [made] : []));
    });
  }

  /** A finished fill: its picture is shown. @param {Version} version */
  finish(version) {
    const { key, group } = version;
    const number = 1 + [...this.versions.values()].filter((each) => each.group === group).length;
    this.versions.set(key, { ...version, number });
    return this.turn(() => {
      const step = this.history.given(key);
      if (!step) return this.remember(null, { after: key });
      const steps = this.history.filled(step, key);
      this.current = key;
      this.changed("picture", ...steps);
    });
  }

  /** Shows another version. */
  choose(key) {
    if (key !== this.current && !this.filling) this.turn(() => this.remember(null, { after: key }));
  }

  /** Takes a version out of the strip; undo brings it back. */
  remove(key) {
    const version = this.versions.get(key);
    if (this.filling || !version) return;
    this.turn(() => {
      const rest = this.siblings.filter((each) => each.key !== key);
      version.gone = true;
      const after = this.current === key ? (rest[0]?.key ?? version.base) : this.current;
      this.remember(null, { after, gone: key });
    });
  }

  /** What is marked, as a PNG. */
  async maskFile() {
    await this.settled();
    const bits = this.cells.any(HOLE) ? HOLE : HOLE | DONE;
    return this.file((value) => (value & bits) !== 0);
  }

  /** Where texture may come from, as a PNG; null if nothing limits it. */
  async sourceFile() {
    await this.settled();
    const take = this.cells.any(TAKE);
    if (!take && !this.cells.any(AVOID)) return null;
    return this.file(take ? (value) => (value & (TAKE | AVOID)) === TAKE : (value) => (value & AVOID) === 0);
  }

  file(white) {
    return aside("mask", { marks: this.cells.plain, white: VALUES.filter(white) });
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
