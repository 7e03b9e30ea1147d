/** What the person is working on: photo, marks, results, and the history of both. */

import { AVOID, Cells, DONE, HOLE, TAKE } from "./cells.js";
import { History } from "./history.js";
import { encodeMask } from "./png.js";

/** @typedef {{picture: import("./picture.js").Picture, id: string, seed: number}} Round a finished fill */

const INKS = {
  hole: { set: HOLE, clear: 0 },
  take: { set: TAKE, clear: AVOID },
  avoid: { set: AVOID, clear: TAKE },
};
const BITS = { hole: HOLE, take: TAKE, avoid: AVOID };

export class Session extends EventTarget {
  constructor() {
    super();
    this.history = new History(() => this.changed());
    this.layer = "hole";
    this.locked = false; // while a fill runs, the marks it was given stay as they are
    this.closed();
  }

  closed() {
    this.photo = null;
    this.cells = null;
    this.name = "";
    /** @type {Round[]} */
    this.rounds = [];
    this.current = -1; // index of the result on show; -1 is the photo
    this.history.past = [];
    this.history.future = [];
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

  changed(what = "marks") {
    this.counted = null;
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  /** The picture on show. */
  get picture() {
    return this.current >= 0 ? this.rounds[this.current].picture : this.photo;
  }

  /** The bits that a tool sets and clears. */
  ink(erase) {
    return erase ? { set: 0, clear: BITS[this.layer] } : INKS[this.layer];
  }

  get bit() {
    return BITS[this.layer];
  }

  /** Does `draw` on the marks as one step that can be undone. @param {(cells: Cells) => void} draw */
  mark(draw) {
    if (this.locked) return;
    this.cells.begin();
    draw(this.cells);
    this.remember(this.cells.end());
  }

  /** @param {import("./cells.js").Change | null} change */
  remember(change) {
    if (!change) return this.changed();
    const swap = () => this.cells.swap(change);
    this.history.push({ undo: swap, redo: swap });
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

  /** Brings the marks of earlier fills back to the hole. */
  recall() {
    this.mapMarks((value) => (value & DONE ? (value & ~DONE) | HOLE : value));
  }

  /** @param {(value: number) => number} rule */
  mapMarks(rule) {
    if (!this.locked) this.remember(this.cells.mapAll(rule));
  }

  /** A finished fill: its marks are done with, its picture is shown; one step that can be undone. @param {Round} round */
  finish(round) {
    const change = this.cells.mapAll((value) => (value & HOLE ? (value & ~HOLE) | DONE : value));
    const before = this.current;
    this.rounds.push(round);
    const after = this.rounds.length - 1;
    const go = (index) => {
      if (change) this.cells.swap(change);
      this.current = index;
    };
    this.current = after;
    this.history.push({ undo: () => go(before), redo: () => go(after) });
    this.changed("result");
  }

  /** The hole to fill, as a PNG. @param {boolean} all with the marks of earlier fills */
  maskFile(all) {
    const bits = all ? HOLE | DONE : HOLE;
    return encodeMask(this.cells.data, this.cells.width, this.cells.height, (value) => (value & bits) !== 0);
  }

  /** Where texture may come from, as a PNG; null if nothing limits it. */
  async sourceFile() {
    const take = this.cells.bounds(TAKE) !== null;
    if (!take && this.cells.bounds(AVOID) === null) return null;
    const allowed = take ? (value) => (value & (TAKE | AVOID)) === TAKE : (value) => (value & AVOID) === 0;
    return encodeMask(this.cells.data, this.cells.width, this.cells.height, allowed);
  }

  /** How much is marked, counted once after each change. */
  get summary() {
    this.counted ??= {
      share: this.cells.count(HOLE) / (this.cells.width * this.cells.height),
      areas: this.cells.areas(HOLE),
      done: this.cells.bounds(DONE) !== null,
      limited: this.cells.bounds(TAKE | AVOID) !== null,
    };
    return this.counted;
  }
}
