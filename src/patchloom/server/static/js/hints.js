/** What may have been left out of a mark, and other proposals: seen on the photo and asked above it before they count. */

import { aside } from "./aside.js";
import { HOLE } from "./cells.js";
import { found, sampled, sight } from "./sight.js";
import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);
const AFTER_MS = 600; // after a stroke
const PATIENCE_MS = 1500; // that Remove waits for it
const READ_MS = 2000; // in which a proposal is seen
const MOST_SHARE = 0.25; // of the photo: more is no object
const LEAST_PIXELS = 400; // as objects are looked for in it: less is a speck

/** @typedef {{mask: Uint8Array, across: number, down: number, ink: import("./shapes.js").Ink}} Task for alter.js */

export class Hints {
  /** @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    $("hint-close").addEventListener("click", () => this.fold(true));
    $("hint-again").addEventListener("click", () => this.fold(false));
    session.addEventListener("change", ({ detail }) => ["marks", "picture", "photo"].includes(detail.what) && this.drop());
    this.drop();
  }

  /** The marks have changed, or a fill begins: what was proposed is no more. */
  drop() {
    clearTimeout(this.timer);
    this.stopper?.abort();
    this.stopper = new AbortController();
    /** What adjoins the marks as they are. @type {Promise<Task | null> | null} */
    this.looked = null;
    this.since = Infinity; // when a proposal came into sight
    this.stage.propose(null);
    $("hint").hidden = $("hint-again").hidden = true;
  }

  /** The marks are what was proposed: nothing is looked for. */
  settle() {
    this.drop();
    this.looked = Promise.resolve(null);
  }

  /** A while after a stroke: looks for what was left out. */
  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), AFTER_MS);
  }

  /** @returns {Promise<Task | null>} what adjoins the marks and is of the object that they cover; it is shown */
  look() {
    clearTimeout(this.timer);
    if (this.looked) return this.looked;
    const { signal } = this.stopper;
    const asked = this.ask(signal).catch(() => null); // what cannot be told is not missed
    this.looked = asked.then((task) => {
      if (!task || signal.aborted) return null;
      this.propose(task, t("say.leftover"), t("say.extend"));
      return task;
    });
    return this.looked;
  }

  async ask(signal) {
    const { session } = this;
    const { photo, works, cells } = session;
    if (!photo || works.size || !cells.any(HOLE) || session.summary.share > MOST_SHARE) return null;
    const seen = sight(session.picture);
    const { width, height, scale } = seen;
    const marks = sampled(cells, seen);
    if (marks.reduce((sum, mark) => sum + mark, 0) < LEAST_PIXELS) return null;
    const { areas } = session.summary;
    const asked = aside("question", { marks, width, height, areas });
    const levels = await found(seen, asked, signal);
    const growth = Math.max(1, Math.round(session.growth * scale));
    const mask = await aside("addition", { levels, marks, width, height, areas, growth, file: await seen.file });
    return mask && { mask, across: width, down: height, ink: { set: HOLE, clear: 0 } };
  }

  /** Shows what could be marked, and asks. @param {Task} task */
  propose(task, text, yes) {
    this.task = task;
    this.since = performance.now();
    this.stage.propose(task);
    this.show(text, { text: yes, act: () => this.add() }, null);
  }

  /** Whether a proposal is in sight. */
  get open() {
    return !$("hint").hidden;
  }

  show(text, yes, no) {
    $("hint-text").textContent = text;
    for (const [id, action] of [["hint-yes", yes], ["hint-no", no]]) {
      $(id).hidden = !action;
      $(id).textContent = action?.text ?? "";
      $(id).onclick = action?.act ?? null;
    }
    this.fold(false);
  }

  /** Out of the way, but for a button that brings it back. */
  fold(folded) {
    $("hint").hidden = folded;
    $("hint-again").hidden = !folded;
    this.stage.propose(folded ? null : this.task);
    if (folded) this.since = -Infinity;
  }

  /** Marks what is proposed. */
  add() {
    const { session, task } = this;
    this.drop();
    return session.turn(() => session.alter("mask", task));
  }

  /**
   * Remove is pressed: unless the person has seen what was left out, that is asked first.
   * @param {() => void} go removes what is marked
   */
  async before(go) {
    const { session, stopper } = this;
    const { photo } = session;
    if (session.works.size) return go();
    const known = performance.now() - this.since > READ_MS;
    const patience = new Promise((done) => setTimeout(done, PATIENCE_MS, null));
    $("fill").setAttribute("aria-busy", "true");
    const task = known ? null : await Promise.race([this.look(), patience]);
    $("fill").removeAttribute("aria-busy");
    if (session.photo !== photo) return;
    if (!task || stopper.signal.aborted) {
      this.drop();
      return go();
    }
    const add = async () => {
      await this.add();
      go();
    };
    const leave = () => {
      this.drop();
      go();
    };
    this.show(t("say.leftover"), { text: t("say.extend.fill"), act: add }, { text: t("say.as-marked"), act: leave });
    $("hint-yes").focus();
  }
}
