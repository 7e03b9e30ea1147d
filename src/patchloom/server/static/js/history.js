/**
 * What can be undone, strokes and results alike, as plain data, so that it can be kept over a reload.
 * @typedef {{id: number, change: import("./cells.js").Change | null, before: string, after: string,
 *   gone: string, fill?: string}} Step which picture was shown before and after; the marks' other content; a version that
 *   it removed; fill: key of the version that its marks were given to, while that is being made
 */

import { packed, unpacked } from "./grid.js";

const MOST = 100;

export class History {
  /** @param {(step: Step, forward: boolean) => void} act does a step again, or takes it back */
  constructor(act) {
    this.act = act;
    this.clear();
  }

  clear() {
    /** @type {Step[]} */
    this.past = [];
    /** @type {Step[]} */
    this.future = [];
    this.count = 0;
  }

  /** Remembers a step that has been done. @param {Omit<Step, "id">} step @returns {Step} */
  push(step) {
    this.count += 1;
    const made = { id: this.count, ...step };
    this.past.push(made);
    while (this.past.length > MOST && !this.past[0].fill) this.past.shift();
    this.future = [];
    return made;
  }

  /** Marks that were given to a fill under way stay with it. */
  get canUndo() {
    return this.past.length > 0 && !this.past.at(-1).fill;
  }

  undo() {
    if (!this.canUndo) return null;
    const step = this.past.pop();
    this.future.push(step);
    this.act(step, false);
    return step;
  }

  redo() {
    const step = this.future.pop();
    if (!step) return null;
    this.past.push(step);
    this.act(step, true);
    return step;
  }

  /** The step that gave marks to a fill under way. @param {string} key of its version @returns {Step | undefined} */
  given(key) {
    return this.past.find((step) => step.fill && step.fill === key);
  }

  /** A step and what was done after it. @param {Step} step */
  since(step) {
    return this.past.slice(this.past.indexOf(step));
  }

  /** A fill is over: its picture is on show from that step on, whatever was marked since. @returns {Step[]} what this changes */
  filled(step, picture) {
    const { before } = step;
    const steps = [...this.since(step), ...this.future];
    for (const each of steps) Object.assign(each, { before: picture, after: picture });
    Object.assign(step, { before, fill: "" });
    return steps;
  }

  /**
   * A fill has come to nothing: the step that gave it marks is taken out, and what was marked since becomes one step.
   * @param {Step} step @param {import("./cells.js").Cells} cells get those marks back
   */
  withdraw(step, cells) {
    const since = this.since(step).slice(1);
    this.past.length -= since.length + 1;
    this.future = [];
    const merged = new Map();
    for (const [tile, content] of step.change) {
      const box = cells.tileBox(tile);
      const changed = since.find((each) => each.change?.has(tile));
      const all = [content, changed ? changed.change.get(tile) : cells.content(tile), cells.content(tile)];
      const [old, given, now] = all.map((each) => unpacked(each, box));
      merged.set(tile, packed(now.map((value, i) => (value & ~(given[i] & ~old[i])) | (old[i] & ~given[i]))));
    }
    const change = new Map([step, ...since].reverse().flatMap((each) => [...(each.change ?? [])]));
    cells.swap(merged);
    return since.length ? this.push({ ...since.at(-1), change }) : null;
  }
}
