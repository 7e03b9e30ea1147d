/** "What could go?": small things that stand out on plain ground, each marked by one tap. */

import { aside } from "./aside.js";
import { HOLE } from "./cells.js";
import { sight } from "./sight.js";
import { t } from "./texts.js";

export class Ideas {
  /**
   * @param {import("./session.js").Session} session @param {import("./hints.js").Hints} hints
   * @param {import("./announce.js").Announcer} announcer
   */
  constructor(session, hints, announcer) {
    this.session = session;
    this.hints = hints;
    this.announcer = announcer;
    /** What is shown to be taken, in the size in which objects are looked for. @type {Uint8Array[]} */
    this.masks = [];
  }

  /** Looks for them and shows them. */
  async look() {
    const { session } = this;
    const { picture } = session;
    const seen = sight(picture);
    const { width, height } = seen;
    const masks = await aside("specks", { file: await seen.file, width, height });
    if (session.picture !== picture) return;
    this.seen = seen;
    if (masks.length) this.show(masks);
    else this.announcer.note(t("ideas.none"));
  }

  show(masks) {
    const { width: across, height: down } = this.seen;
    const mask = new Uint8Array(across * down);
    for (const each of masks) for (let i = 0; i < mask.length; i++) mask[i] |= each[i];
    this.hints.settle();
    if (!masks.length) return;
    const task = { mask, across, down, ink: { set: HOLE, clear: 0 } };
    this.hints.propose(task, t("ideas.found", { n: masks.length }), t("ideas.all"));
    this.masks = masks;
    this.task = task;
  }

  /** A tap at a place of the photo. @param {number} slack how far beside it may be @returns {boolean} whether one is there */
  take({ x, y }, slack) {
    if (!this.masks.length || this.hints.task !== this.task || !this.hints.open) return false;
    const { width, height, scale } = this.seen;
    const at = [x * scale, y * scale];
    const reach = Math.max(1, Math.round(slack * scale));
    const hit = this.masks.find((mask) => touches(mask, width, height, at, reach));
    if (!hit) return false;
    const rest = this.masks.filter((mask) => mask !== hit);
    const task = { ...this.task, mask: hit };
    this.session.turn(() => this.session.alter("mask", task)).then(() => this.show(rest));
    return true;
  }
}

/** Whether any of a mask lies within `reach` of a place. */
function touches(mask, width, height, [x, y], reach) {
  for (let row = Math.max(0, Math.floor(y - reach)); row <= Math.min(height - 1, y + reach); row++) {
    for (let column = Math.max(0, Math.floor(x - reach)); column <= Math.min(width - 1, x + reach); column++) {
      if (mask[row * width + column]) return true;
    }
  }
  return false;
}
