/** What can be undone, strokes and results alike. @typedef {{undo: () => void, redo: () => void}} Step */

export class History {
  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.changed = changed;
    /** @type {Step[]} */
    this.past = [];
    /** @type {Step[]} */
    this.future = [];
  }

  /** Remembers a step that has been done. @param {Step} step */
  push(step) {
    this.past.push(step);
    this.future = [];
    this.changed();
  }

  undo() {
    const step = this.past.pop();
    if (!step) return false;
    step.undo();
    this.future.push(step);
    this.changed();
    return true;
  }

  redo() {
    const step = this.future.pop();
    if (!step) return false;
    step.redo();
    this.past.push(step);
    this.changed();
    return true;
  }

  clear() {
    this.past = [];
    this.future = [];
    this.changed();
  }
}
