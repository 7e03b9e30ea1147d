/** Marks whole objects: from a scribble, a tap or a line round it to the outline, and to the shadow. */

import { aside } from "./aside.js";
import { found, sight } from "./sight.js";
import { t } from "./texts.js";

const STROKE = 5; // width of a scribble, CSS pixels

export class Objects {
  /**
   * @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage
   * @param {import("./announce.js").Announcer} announcer @param {import("./hints.js").Hints} hints
   */
  constructor(session, stage, announcer, hints) {
    this.session = session;
    this.stage = stage;
    this.announcer = announcer;
    this.hints = hints;
    this.reset();
  }

  /** Another photo is open. */
  reset() {
    this.forget();
    this.stopper?.abort();
    this.stopper = new AbortController();
    this.waiting = 0; // scribbles whose object is still looked for
    this.looking = Promise.resolve();
    this.stage.look([]);
  }

  /** Another object begins. */
  forget() {
    /** Scribbles on the object under way: a second one refines the first. */
    this.strokes = [];
    /** The step that marked it. @type {import("./cells.js").Change | null} */
    this.found = null;
  }

  /** Gives up what is being looked for. @returns {boolean} false if nothing was */
  drop() {
    const { found, strokes, waiting } = this;
    if (!waiting) return false;
    this.reset();
    Object.assign(this, { found, strokes });
    return true;
  }

  /** The tool is chosen: what it looks at is made beforehand. */
  ready() {
    if (this.session.photo) sight(this.session.picture);
  }

  /** A scribble on an object, or with `erase` on what does not belong to it. */
  scribble(points, erase) {
    const stroke = { points, erase, width: STROKE / this.stage.view.scale };
    this.stage.look([...this.stage.looking, stroke]);
    this.next(async (signal) => {
      if (!this.found || this.session.history.past.at(-1)?.change !== this.found) this.forget();
      if (erase && !this.strokes.length) return this.announcer.note(t("say.object-first"));
      const strokes = [...this.strokes, stroke];
      await this.find(strokes, signal);
      if (!signal.aborted) this.strokes = strokes;
    }, stroke);
  }

  /** Looks for one after the other, so that what is drawn meanwhile refines what the one before has found. */
  next(look, stroke) {
    const { signal } = this.stopper;
    this.waiting += 1;
    this.looking = this.looking
      .then(() => (signal.aborted ? null : look(signal)))
      .catch((error) => signal.aborted || this.announcer.fail(error))
      .then(() => {
        if (signal.aborted) return;
        this.waiting -= 1;
        this.stage.look(this.stage.looking.filter((each) => each !== stroke));
      });
    this.session.during(this.looking);
  }

  /** @param {AbortSignal} signal stops it */
  async find(strokes, signal) {
    const seen = sight(this.session.picture);
    const { width, height, scale } = seen;
    this.announcer.say(t("say.finding"), true);
    const levels = await found(seen, aside("scribbled", { strokes, width, height, scale }), signal);
    if (!signal.aborted) await this.show(levels, seen);
  }

  async show(levels, { width, height }) {
    const { session, announcer } = this;
    const part = (low, high) => {
      const mask = levels.map((value) => (value > low && value <= high ? 1 : 0));
      return { mask, across: width, down: height, ink: session.ink(false) };
    };
    const object = part(200, 255);
    const shadow = part(60, 200);
    if (!object.mask.includes(1)) return announcer.note(t("say.nothing-found"));
    await session.turn(async () => {
      if (this.found && session.history.past.at(-1)?.change === this.found) session.history.undo();
      this.found = await session.alter("mask", object);
    });
    announcer.clear();
    if (shadow.mask.includes(1)) this.hints.propose(shadow, t("say.shadow"), t("say.shadow.add"));
  }
}
