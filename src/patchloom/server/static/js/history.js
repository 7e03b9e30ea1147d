/**
 * What can be undone, strokes and results alike, as plain data, so that it can be kept over a reload.
 * @typedef {{id: number, change: import("./cells.js").Change | null, before: string, after: string,
 *   gone: string}} Step which picture was shown before and after; the marks' other content; a version that it removed
 */

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
    if (this.past.length > MOST) this.past.shift();
    this.future = [];
    return made;
  }

  undo() {
    const step = this.past.pop();
    if (!step) return null;
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
}
