/** One fill on its way: its files are sent, its job is followed, its result fetched. It goes on whatever photo is open. */

import * as api from "./api.js";
import { Pace, expected, learned } from "./estimate.js";
import { duration, percent, t } from "./texts.js";

const UPLOAD_SHOWN_MS = 500;

/**
 * @typedef {{base: string, group: string, growth: number, settings: object, id?: string, key: string, all?: boolean,
 *   like?: string, megapixels?: number}} Plan what is filled, as a version tells it; id: of the server's job, once there
 * is one; key: of the version that it becomes
 */

export class Run {
  /** @param {string} work the id of the work that it belongs to @param {string} name of its photo */
  constructor(work, name) {
    this.work = work;
    this.name = name;
    /** @type {Plan | null} */
    this.plan = null;
    /** What is marked of it: its mask and more, as Session.give() says. */
    this.hole = null;
    /** @type {Blob | null} the mask's file */
    this.file = null;
    this.stopping = false;
    /** The newest picture of what each window shows so far. @type {Map<number, number>} */
    this.seen = new Map();
    this.next = false; // what is marked meanwhile is filled after it
    this.stopper = new AbortController();
    this.pace = null;
    this.upload = null;
    this.place = "";
    this.began = performance.now();
    this.first = !learned();
  }

  get seconds() {
    return (performance.now() - this.began) / 1000;
  }

  /** @template T @param {T | Promise<T>} work @returns {Promise<T>} throws AbortError as soon as the person stops the fill */
  unlessStopped(work) {
    const { signal } = this.stopper;
    const stopped = new Promise((_, reject) => {
      const stop = () => reject(new DOMException("", "AbortError"));
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
    });
    return Promise.race([work, stopped]);
  }

  /** Sends the files, unless the server has the job already. @param {object} parts */
  async send(parts) {
    const { plan } = this;
    this.pace = new Pace(expected(plan.settings.preset, plan.megapixels));
    if (plan.id) return;
    const upload = { share: 0, began: performance.now() };
    this.upload = upload;
    const told = (share) => (upload.share = share);
    plan.id = (await api.createJob({ ...parts, settings: plan.settings }, told, this.stopper.signal)).id;
    this.upload = null;
    this.pace = new Pace(this.pace.seconds);
  }

  /**
   * Follows the job to its end. @param {(name: string, data: object) => void} listen
   * @returns {Promise<Blob | null>} the result; null if the job was stopped
   */
  async result(listen) {
    const { id } = this.plan;
    let end = "";
    let error = null;
    const following = api.follow(id, (name, data) => {
      end = name;
      error = name === "failed" ? data : null;
      if (this.stopping) return;
      this.hear(name, data);
      listen(name, data);
    });
    await this.unlessStopped(following);
    if (error) throw new api.ServerError(0, { code: error.code, title: error.message, detail: error.hint });
    return end === "done" ? api.result(id) : null;
  }

  hear(name, data) {
    if (name === "queued") this.place = data.position > 1 ? t("progress.queue", { n: data.position }) : "";
    if (name === "fill_started") {
      if (this.place) this.pace = new Pace(this.pace.seconds); // waiting behind others was no part of it
      this.place = "";
    }
    if (name === "step") this.pace.tell(data.fraction ?? 0);
  }

  /** One line: what happens now, and how long it will take. */
  progress() {
    if (this.stopping) return { fraction: 0, text: t("progress.stopping") };
    if (!this.pace) return { fraction: 0, text: t("progress.preparing") };
    if (this.upload) {
      const { share, began } = this.upload;
      const slow = performance.now() - began > UPLOAD_SHOWN_MS && share < 1;
      return { fraction: 0, text: slow ? t("progress.sending", { share: percent(share) }) : t("progress.preparing") };
    }
    if (this.place) return { fraction: 0, text: this.place };
    const { fraction, left, late } = this.pace.now();
    if (this.first && this.pace.told.fraction === 0) return { fraction, text: t("progress.warming") };
    if (late) return { fraction, left, text: t("progress.late") };
    return { fraction, left, text: left < 1.5 ? t("progress.nearly") : t("progress.left", { time: duration(left) }) };
  }

  /** The same in a word or two. */
  brief() {
    const { left, fraction } = this.progress();
    if (left === undefined) return percent(fraction);
    return this.seen.size ? t("version.finishing", { time: duration(left) }) : duration(left);
  }

  /** Stops at once; what the server still does with the job is not waited for. */
  cancel() {
    if (this.stopping) return false;
    this.stopping = true;
    if (this.plan?.id) api.cancelJob(this.plan.id).catch(() => {});
    this.stopper.abort();
    return true;
  }
}
