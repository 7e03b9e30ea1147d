/** One fill at a time: sends the job, shows how it goes, takes the result, or stops it. */

import * as api from "./api.js";
import { DONE, HOLE } from "./cells.js";
import { Pace, expected, learn, learned } from "./estimate.js";
import { Picture } from "./picture.js";
import { newId } from "./store.js";
import { duration, percent, t } from "./texts.js";

const LARGE_SHARE = 1 / 3;
const TICK_MS = 200;
const UPLOAD_SHOWN_MS = 500;

/** @typedef {{plan: object, gather: () => Promise<object>}} Plan what is filled, as a version tells it; its files */

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
    this.running = false;
    /** What is marked of it: its mask, which other versions do not ask for again, and more, as Session.hole() says. */
    this.hole = null;
    /** What is being filled, so that it can be taken up after a reload. @type {object | null} */
    this.job = null;
  }

  /** Fills what is marked, on top of what is shown; without new marks, makes another version of what is shown. */
  start() {
    const { session } = this;
    const next = () => {
      if (session.cells.any(HOLE)) return this.marked(false);
      return session.versions.has(session.current) ? this.another() : null;
    };
    if (!session.photo) return;
    const idle = !session.works.size && !session.cells.any(HOLE) && !session.versions.has(session.current);
    if (idle) this.announcer.say(t("say.paint"), true);
    else this.run(next);
  }

  /** Everything that was ever marked, from the photo. */
  startOver() {
    if (this.session.cells?.any(HOLE | DONE)) this.run(() => this.marked(true));
  }

  /** The same marks once more: with the next seed, or with the quality that was chosen since. */
  again() {
    if (this.session.versions.has(this.session.current)) this.run(() => this.another());
  }

  /** @param {boolean} all with the marks of earlier fills, from the photo @returns {Plan} */
  marked(all) {
    const { session } = this;
    const { growth } = session;
    if (session.summary.share > LARGE_SHARE) this.announcer.say(t("say.large"), true);
    const base = all ? "" : session.current;
    const image = session.pictureOf(base).blob;
    return {
      plan: { base, all, growth, group: newId(), settings: this.settings.values() },
      gather: async () => ({ image, ...(await this.look(all, growth)), references: session.others }),
    };
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
    const { base, group, mask, source, growth } = shown;
    const image = session.pictureOf(base).blob;
    return {
      plan: { base, group, growth, settings, like: shown.key },
      gather: async () => ({ image, mask, source, references: session.others }),
    };
  }

  /** The marked object, which was put in, in the light of the photo: another version. */
  async harmonise() {
    const { session } = this;
    if (this.running || !session.photo) return;
    if (!session.cells.any(HOLE)) return this.announcer.say(t("say.mark-object"), true);
    const work = session.id;
    await this.during(async () => {
      this.hole = await this.unlessStopped(session.hole(false, 0));
      const base = session.current;
      const plan = { base, growth: 0, group: newId(), settings: { ...this.settings.values(), harmonised: true } };
      this.begun(plan);
      const { file } = this.hole;
      const blob = await api.harmonise(session.pictureOf(base).blob, file, this.stopper.signal);
      await this.keep(plan, { mask: file, source: null }, blob, work);
    });
  }

  /** Takes up a job that was running before the page was loaded again; what is no job of the server begins anew. */
  async resume(job) {
    if (job.settings.harmonised) return this.harmonise();
    await this.run(async () => {
      const state = await api.job(job.id).catch(() => null);
      if (!["queued", "running", "done"].includes(state?.status)) return null;
      const like = this.session.versions.get(job.like);
      return { plan: job, gather: async () => like ?? this.look(job.all, job.growth) };
    });
  }

  /** What is to be filled, its file, and where texture may come from. */
  async look(all, growth) {
    const [hole, source] = await Promise.all([this.session.hole(all, growth), this.session.sourceFile()]);
    return { hole, mask: hole.file, source };
  }

  /** Fills, when all that was asked of the marks before is done. @param {() => Plan | null | Promise<Plan | null>} choose */
  async run(choose) {
    if (this.running) return;
    const { session } = this;
    const work = session.id;
    await this.during(async () => {
      await this.unlessStopped(session.settled());
      const chosen = await this.unlessStopped(choose());
      if (!chosen) return;
      const { plan } = chosen;
      const parts = await this.unlessStopped(chosen.gather());
      this.hole = parts.hole ?? null;
      plan.megapixels ??= (this.hole?.count ?? session.cells.count(DONE)) / 1e6;
      this.pace = new Pace(expected(plan.settings.preset, plan.megapixels));
      if (!plan.id) {
        this.upload = { share: 0, began: performance.now() };
        const told = (share) => (this.upload.share = share);
        plan.id = (await api.createJob({ ...parts, settings: plan.settings }, told, this.stopper.signal)).id;
        this.upload = null;
        this.pace = new Pace(this.pace.seconds);
      }
      this.begun(plan);
      if (this.stopping) api.cancelJob(plan.id).catch(() => {});
      if (await this.wait(plan.id)) await this.take(plan, parts, work);
      else this.announcer.say(t("say.stopped"), true);
    });
  }

  /** @template T @param {T | Promise<T>} work @returns {Promise<T>} throws AbortError as soon as the person stops the fill */
  unlessStopped(work) {
    const { signal } = this.stopper;
    const stopped = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")), { once: true });
    });
    return Promise.race([work, stopped]);
  }

  /** Shows that `work` is under way until it is over, and how it ended if it did not succeed. */
  async during(work) {
    this.begin();
    try {
      await work();
    } catch (error) {
      if (error.name === "AbortError") this.announcer.say(t("say.stopped"), true);
      else this.announcer.fail(error);
    } finally {
      this.finish();
    }
  }

  begin() {
    this.running = true;
    this.session.filling = true;
    this.stopping = false;
    this.stopper = new AbortController();
    this.pace = null;
    this.upload = null;
    this.asked = null;
    this.place = "";
    this.began = performance.now();
    this.first = !learned();
    this.stage.filling(true);
    this.dispatchEvent(new Event("job"));
    this.ticking = setInterval(() => this.tick(), TICK_MS);
    this.tick();
  }

  /** From now on the job can be taken up after a reload. */
  begun(plan) {
    this.job = plan;
    this.dispatchEvent(new Event("job"));
  }

  finish() {
    clearInterval(this.ticking);
    this.running = false;
    this.session.filling = false;
    this.job = null;
    this.hole = null;
    this.stage.filling(false);
    this.announcer.title(null);
    this.dispatchEvent(new Event("job"));
    this.dispatchEvent(new CustomEvent("progress", { detail: { fraction: 0, text: "" } }));
  }

  /** @returns {Promise<boolean>} whether there is a result */
  async wait(id) {
    let end = "";
    let error = null;
    const stopped = new Promise((resolve) => this.stopper.signal.addEventListener("abort", resolve, { once: true }));
    const following = api.follow(id, (name, data) => {
      end = name;
      error = name === "failed" ? data : null;
      this.hear(name, data);
    });
    await Promise.race([following, stopped]);
    following.catch(() => {});
    if (this.stopping) return false;
    if (error) throw new api.ServerError(0, { code: error.code, title: error.message, detail: error.hint });
    return end === "done";
  }

  hear(name, data) {
    if (this.stopping) return;
    if (name === "queued") this.place = data.position > 1 ? t("progress.queue", { n: data.position }) : "";
    if (name === "fill_started") {
      if (this.place) this.pace = new Pace(this.pace.seconds); // waiting behind others was no part of it
      this.place = "";
      this.announcer.say(t("say.filling"));
      this.tick(); // a fill may be done before the next beat
    }
    if (name === "step") this.pace.tell(data.fraction ?? 0);
    if (name === "level_done" && data.preview) this.asked = Promise.all([this.asked, this.preview(data)]);
    if (name === "warned") this.announcer.note(data.message);
  }

  /** One line: what happens now, and how long it will take. */
  tick() {
    const detail = this.progress();
    this.announcer.title(detail.fraction);
    this.dispatchEvent(new CustomEvent("progress", { detail }));
  }

  progress() {
    if (this.stopping) return { fraction: 0, text: t("progress.stopping") };
    if (!this.pace) return { fraction: 0, text: t("progress.preparing") };
    if (this.upload) {
      const { share, began } = this.upload;
      const slow = performance.now() - began > UPLOAD_SHOWN_MS && share < 1;
      return { fraction: 0, text: slow ? t("progress.sending", { share: percent(share) }) : t("progress.preparing") };
    }
    if (this.place) return { fraction: 0, text: this.place };
    const { fraction, left } = this.pace.now();
    if (this.first && this.pace.told.fraction === 0) return { fraction, text: t("progress.warming") };
    return { fraction, text: left < 1.5 ? t("progress.nearly") : t("progress.left", { time: duration(left) }) };
  }

  async preview({ preview, window, box }) {
    try {
      const bitmap = await createImageBitmap(await api.preview(this.job.id, preview));
      if (this.running) this.stage.addPreview(bitmap, window, box, this.hole?.mask);
      bitmap.close();
    } catch {
      // A preview that does not arrive is not missed.
    }
  }

  async take(plan, parts, work) {
    const blob = await api.result(plan.id);
    if (!(await this.keep(plan, parts, blob, work))) return;
    learn(plan.settings.preset, plan.megapixels, (performance.now() - this.began) / 1000);
  }

  /** The file `blob` as another version of the photo. @returns {Promise<boolean>} false if that is not open any more */
  async keep(plan, parts, blob, work) {
    const picture = await Picture.open(blob);
    await picture.makeCopies();
    if (this.session.id !== work || this.stopping) return false; // another one was opened meanwhile
    const seconds = (performance.now() - this.began) / 1000;
    const { base, group, growth, settings } = plan;
    const { mask, source } = parts;
    const made = { key: newId(), base, group, growth, settings, mask, source, picture, seconds };
    await this.session.finish({ ...made, gone: false, saved: false }, this.hole?.mask);
    this.announcer.say(t("say.done"), true);
    return true;
  }

  /** Stops at once; what the server still does with the job is not waited for. */
  cancel() {
    if (!this.running || this.stopping) return false;
    this.stopping = true;
    if (this.job?.id) api.cancelJob(this.job.id).catch(() => {});
    this.stopper.abort();
    return true;
  }
}

function same(a, b) {
  const plain = (value) => JSON.stringify(Object.entries(value).sort());
  return plain(a) === plain(b);
}
