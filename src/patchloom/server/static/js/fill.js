/** What is to be filled and what becomes of it: plans made from the marks, runs of the works they belong to, results. */

import * as api from "./api.js";
import { DONE, HOLE } from "./cells.js";
import { learn } from "./estimate.js";
import { Picture } from "./picture.js";
import { Run } from "./run.js";
import { newId } from "./store.js";
import { t } from "./texts.js";

const LARGE_SHARE = 1 / 3;
const TICK_MS = 200;
const LEAVE_MS = 3000; // in which the files of a fill are put together before another photo is opened

/** @typedef {import("./run.js").Plan} Plan */

export class Filler extends EventTarget {
  /**
   * @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage
   * @param {import("./settings.js").SettingsForm} settings @param {import("./announce.js").Announcer} announcer
   */
  constructor(session, stage, settings, announcer) {
    super();
    this.session = session;
    this.stage = stage;
    this.settings = settings;
    this.announcer = announcer;
    /** Fills under way, by the work they belong to: one each. @type {Map<string, Run>} */
    this.runs = new Map();
    /** Keeps a result whose photo is not open. @type {(work: string, version: object) => Promise<void>} */
    this.put = async () => {};
    session.addEventListener("change", ({ detail }) => detail.what === "photo" && this.attach());
  }

  /** The fill of the photo that is open. */
  get run() {
    return this.runs.get(this.session.id) ?? null;
  }

  get running() {
    return this.run !== null;
  }

  /** Whether what is marked is not on its way into a fill. */
  get given() {
    return !this.running || this.run.file !== null;
  }

  /** What is being filled, so that it can be taken up after a reload. @returns {Plan | null} */
  get job() {
    return this.run?.plan ?? null;
  }

  /** Fills what is marked, on top of what is shown; without new marks, makes another version of what is shown. */
  start() {
    const { session } = this;
    if (!session.photo) return;
    if (this.running) return this.next();
    const next = () => (session.cells.any(HOLE) ? this.marked(false) : this.another());
    const idle = !session.works.size && !session.cells.any(HOLE) && !session.versions.has(session.current);
    if (idle) this.announcer.say(t("say.paint"), true);
    else this.fill(next);
  }

  /** What was marked while a fill runs is filled after it. */
  next() {
    const { run, session } = this;
    if (run.stopping || !this.given || !session.cells.any(HOLE)) return;
    run.next = true;
    this.announcer.say(t("say.next"), true);
    this.dispatchEvent(new Event("job"));
  }

  /** Everything that was ever marked, from the photo. */
  startOver() {
    if (this.session.cells?.any(HOLE | DONE)) this.fill(() => this.marked(true));
  }

  /** The same marks once more: with the next seed, or with the quality that was chosen since. */
  again() {
    if (this.session.versions.has(this.session.current)) this.fill(() => this.another());
  }

  /** The marked object, which was put in, in the light of the photo: another version. */
  harmonise() {
    const { session } = this;
    if (!session.photo) return;
    if (!session.cells.any(HOLE)) return this.announcer.say(t("say.mark-object"), true);
    const settings = { ...this.settings.values(), harmonised: true };
    this.fill(() => ({ base: session.current, growth: 0, group: newId(), key: newId(), settings }));
  }

  /** @param {boolean} all with the marks of earlier fills, from the photo @returns {Plan} */
  marked(all) {
    const { growth, summary, current } = this.session;
    if (summary.share > LARGE_SHARE) this.announcer.say(t("say.large"), true);
    const base = all ? "" : current;
    return { base, all, growth, group: newId(), key: newId(), settings: this.settings.values() };
  }

  /** @returns {Plan | null} */
  another() {
    const { session } = this;
    const shown = session.versions.get(session.current);
    if (!shown) return null;
    if (shown.settings.harmonised) return this.announcer.say(t("say.paint"), true) ?? null; // there is one way only
    const settings = { ...this.settings.values(), seed: shown.settings.seed };
    const taken = session.siblings.filter((each) => same({ ...each.settings, seed: 0 }, { ...settings, seed: 0 }));
    if (taken.length) settings.seed = Math.max(...taken.map((each) => each.settings.seed)) + 1;
    const { base, group, growth } = shown;
    return { base, group, growth, settings, like: shown.key, key: newId() };
  }

  /** Takes up a fill that was under way before the page was loaded again: anew, if it had not reached the server. */
  async resume(plan) {
    await this.fill(async () => {
      if (!plan.id) return plan;
      const state = await api.job(plan.id).catch(() => null);
      if (["queued", "running", "done"].includes(state?.status)) return plan;
      this.session.takeBack(plan.key);
      this.announcer.note(t("say.lost"));
      return null;
    });
  }

  /** Fills, when all that was asked of the marks before is done. @param {() => Plan | null | Promise<Plan | null>} choose */
  async fill(choose) {
    const { session } = this;
    if (this.running) return;
    const run = new Run(session.id, session.name);
    this.runs.set(run.work, run);
    this.attach();
    try {
      run.prepared = this.prepare(run, choose);
      const parts = await run.prepared;
      const blob = parts && (await this.filled(run, parts));
      if (blob) await this.deliver(run, parts, blob);
      else if (parts) this.announcer.say(t("say.stopped"), true);
    } catch (error) {
      this.explain(run, error);
    } finally {
      this.runs.delete(run.work);
      this.attach();
      if (run.plan && session.id === run.work) session.takeBack(run.plan.key); // unless it was filled
    }
    if (run.next && session.versions.has(run.plan.key) && session.cells.any(HOLE)) this.start();
  }

  explain(run, error) {
    const open = this.session.id === run.work;
    if (error.name === "AbortError") {
      if (open) this.announcer.say(t("say.stopped"), true);
    } else {
      if (!open) error.message = `${run.name}: ${error.message}`;
      this.announcer.fail(error);
    }
  }

  /** What is to be filled, and all that the server is sent of it. @returns {Promise<object | null>} */
  async prepare(run, choose) {
    const { session } = this;
    await run.unlessStopped(session.settled());
    run.plan = await run.unlessStopped(choose());
    if (!run.plan) return null;
    this.dispatchEvent(new Event("job")); // from now on it can be taken up after a reload
    const parts = await run.unlessStopped(this.parts(run.plan));
    run.hole = parts.hole ?? null;
    run.file = parts.mask;
    if (run === this.run) this.stage.given = run.hole?.marks ?? null;
    run.plan.megapixels ??= (run.hole?.count ?? session.cells.count(DONE)) / 1e6;
    return parts;
  }

  /** @param {Plan} plan */
  async parts({ key, base, like, all = false, growth }) {
    const { session } = this;
    const image = session.pictureOf(base).blob;
    const references = session.others;
    const shown = session.versions.get(like);
    if (shown) return { image, references, mask: shown.mask, source: shown.source };
    const [hole, source] = await Promise.all([session.give(key, all, growth), session.sourceFile()]);
    const { width, height } = session.cells;
    if (hole.count === width * height) {
      throw Object.assign(new Error(t("error.all")), { hint: t("error.all.hint") });
    }
    return { image, references, mask: hole.file, source, hole };
  }

  /** @returns {Promise<Blob | null>} the filled picture's file */
  async filled(run, parts) {
    const { settings } = run.plan;
    if (settings.harmonised) return api.harmonise(parts.image, parts.mask, run.stopper.signal);
    await run.send(parts);
    this.dispatchEvent(new Event("job"));
    return run.unlessStopped(run.result((name, data) => this.hear(run, name, data)));
  }

  hear(run, name, data) {
    if (run !== this.run) return;
    if (name === "fill_started") {
      this.announcer.say(t("say.filling"));
      this.tick(); // a fill may be done before the next beat
    }
    if (data.preview) this.preview(run, data);
    if (name === "warned") this.announcer.note(data.message);
  }

  async preview(run, { preview, window, box }) {
    try {
      const bitmap = await createImageBitmap(await api.preview(run.plan.id, preview));
      const newest = preview > (run.seen.get(window) ?? 0);
      if (newest) run.seen.set(window, preview);
      if (newest && this.run === run) this.stage.addPreview(bitmap, window, box, run.hole?.mask);
      bitmap.close();
    } catch {
      // A preview that does not arrive is not missed.
    }
  }

  /** The result becomes a version of its photo, now or when that is opened again. */
  async deliver(run, { mask, source }, blob) {
    const { key, base, group, growth, settings, like, megapixels } = run.plan;
    const { seconds } = run;
    const version = { key, base, group, growth, settings, like, mask, source, blob, seconds };
    if (!settings.harmonised) learn(settings.preset, megapixels, seconds);
    const open = () => this.session.id === run.work && !run.stopping;
    if (open() && (await this.show(version, run))) return;
    if (run.stopping) return;
    await this.put(run.work, version);
    if (open()) await this.show(version);
    else this.dispatchEvent(new CustomEvent("away", { detail: run }));
  }

  /** A result becomes a version of the photo that is open. @returns {Promise<boolean>} false if another one is by now */
  async show({ blob, like, ...version }, run = null) {
    const { session } = this;
    const { id } = session;
    if (session.versions.has(version.key)) return true;
    const picture = await Picture.open(blob);
    await picture.makeCopies();
    if (session.id !== id || run?.stopping) return false;
    await session.finish({ ...version, picture, gone: false, saved: false });
    this.announcer.say(t("say.done"), true);
    return true;
  }

  /** Before another photo is opened: what is sent of this one must be put together. */
  async leave() {
    const { run } = this;
    if (!run) return;
    const patience = new Promise((done) => setTimeout(done, LEAVE_MS, "late"));
    if ((await Promise.race([run.prepared, patience]).catch(() => null)) === "late") run.cancel();
  }

  /** Shows the fill of the photo that is open, if there is one. */
  attach() {
    const { run } = this;
    this.session.filling = run !== null;
    if (this.attached !== run) this.stage.filling(run !== null, run?.hole?.marks);
    this.attached = run;
    if (!this.runs.size) this.ticking = clearInterval(this.ticking);
    else this.ticking ??= setInterval(() => this.tick(), TICK_MS);
    this.dispatchEvent(new Event("job"));
    this.tick();
  }

  /** Tells how far fills are. */
  tick() {
    const detail = this.run?.progress() ?? { fraction: 0, text: "" };
    this.announcer.title(this.run ? detail.fraction : null);
    this.dispatchEvent(new CustomEvent("progress", { detail }));
  }

  get stopping() {
    return this.run?.stopping ?? false;
  }

  cancel() {
    return this.run?.cancel() ?? false;
  }
}

function same(a, b) {
  const plain = (value) => JSON.stringify(Object.entries(value).sort());
  return plain(a) === plain(b);
}
