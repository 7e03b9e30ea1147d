/** One fill at a time: sends the job, shows how it goes, takes the result, or stops it. */

import * as api from "./api.js";
import { DONE, HOLE } from "./cells.js";
import { Picture } from "./picture.js";

const LARGE_SHARE = 1 / 3;

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
    this.id = ""; // of the running job
    this.running = false;
    /** What the last fill was given, to try again with another seed. */
    this.last = null;
  }

  /** Fills what is marked. @param {boolean} fromPhoto with all marks so far, or on top of the result */
  async start(fromPhoto) {
    const { session } = this;
    if (this.running || !session.photo) return;
    const marked = session.cells.bounds(fromPhoto ? HOLE | DONE : HOLE);
    if (!marked) return this.announcer.say("Paint over what should go, then press Fill.", true);
    if (session.summary.share > LARGE_SHARE) {
      this.announcer.say("More than a third is marked: expect repeats, not invention.", true);
    }
    await this.run(async () => ({
      image: fromPhoto ? session.photo.blob : session.picture.blob,
      mask: await session.maskFile(fromPhoto),
      source: await session.sourceFile(),
    }));
  }

  /** The same once more with the next seed. */
  async again() {
    if (this.running || !this.last) return;
    this.settings.seed += 1;
    const { last } = this;
    await this.run(async () => last);
  }

  /** Takes up a job that was running before the page was loaded again. */
  async resume(id) {
    const state = await api.job(id).catch(() => null);
    if (!state || !["queued", "running", "done"].includes(state.status)) return;
    await this.run(null, id);
  }

  async run(gather, id = "") {
    this.setRunning(true);
    try {
      if (gather) {
        const parts = await gather();
        this.last = parts;
        this.seed = this.settings.seed;
        this.announcer.say("Sending the photo …", true);
        id = (await api.createJob({ ...parts, settings: this.settings.values() })).id;
      }
      this.id = id;
      this.dispatchEvent(new Event("job"));
      if (this.stopping) await api.cancelJob(id);
      let end = "";
      let error = null;
      await api.follow(id, (name, data) => {
        end = name;
        error = name === "failed" ? data : null;
        this.hear(name, data);
      });
      if (end === "done") await this.take(id);
      else if (error) throw Object.assign(new Error(error.message), { hint: error.hint });
      else this.announcer.say("Stopped. Your marks are still there.", true);
    } catch (error) {
      this.announcer.say("");
      this.announcer.fail(error);
    } finally {
      this.id = "";
      this.setRunning(false);
    }
  }

  setRunning(running) {
    this.running = running;
    this.session.locked = running;
    this.stopping = false;
    this.asked = null;
    this.levelText = "";
    if (!running) this.announcer.title(null);
    this.stage.previews = [];
    this.stage.redraw();
    this.progress(0, running ? "Starting …" : "");
  }

  hear(name, data) {
    if (name === "queued" && data.position > 1) this.announcer.say(`Waiting: number ${data.position} in the queue.`);
    if (name === "begun") this.announcer.say("Filling …", true);
    if (name === "level") {
      const windows = data.windows > 1 ? `Area ${data.window + 1} of ${data.windows}, ` : "";
      this.levelText = `${windows}${windows ? "level" : "Level"} ${data.level + 1} of ${data.levels}`;
      this.announcer.say(this.levelText);
    }
    if (name === "progress") this.progress(data.fraction ?? 0, this.levelText || "Finding structure", data.eta_s);
    if (name === "preview" && data.box && !this.stopping) this.asked = Promise.all([this.asked, this.preview(data)]);
    if (name === "warning") this.announcer.say(data.message, true);
  }

  progress(fraction, text, left = null) {
    const time = left === null || left === undefined ? "" : ` · ${duration(left)} left`;
    const detail = { fraction, text: this.stopping ? "Stopping …" : text + time };
    if (this.running) this.announcer.title(fraction);
    this.dispatchEvent(new CustomEvent("progress", { detail }));
  }

  async preview({ number, window, box }) {
    try {
      const bitmap = await createImageBitmap(await api.preview(this.id, number));
      if (this.running) this.stage.addPreview(bitmap, window, box, HOLE | DONE);
      bitmap.close();
    } catch {
      // A preview that does not arrive is not missed.
    }
  }

  async take(id) {
    const { photo } = this.session;
    const picture = await Picture.open(await api.result(id));
    await picture.makeCopies();
    if (this.session.photo !== photo) return; // another one was opened meanwhile
    this.session.finish({ picture, id, seed: this.seed });
    this.announcer.say("Done. Compare, paint again, or download.", true);
  }

  async cancel() {
    if (!this.running) return false;
    this.stopping = true;
    this.progress(0, "Stopping …");
    await this.asked; // with the job its previews go
    if (this.id) await api.cancelJob(this.id).catch((error) => this.announcer.fail(error));
    return true;
  }
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}
