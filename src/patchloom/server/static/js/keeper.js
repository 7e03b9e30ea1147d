/** Keeps the work of this tab as it changes, brings it back after a reload, and lists what was worked on before. */

import { drawSmall, Picture } from "./picture.js";
import * as store from "./store.js";

const ANSWER_MS = 120; // in which another tab says that it has a work open
const MOST = 8; // works that are kept although everything of them was downloaded
const FORGET_MS = 20_000; // after which what was forgotten is gone for good
const HERE = "patchloom-work"; // in the tab's own storage: the work it has open

export class Keeper extends EventTarget {
  /**
   * @param {import("./session.js").Session} session
   * @param {{choices: () => object, chosen: (choices: object) => void, job: () => object | null, row: () => string[]}}
   * ways what else is kept; row: the works of photos that were opened together
   */
  constructor(session, ways) {
    super();
    this.session = session;
    this.ways = ways;
    this.failed = false;
    this.writing = 0;
    this.reset();
    session.addEventListener("change", ({ detail }) => this.note(detail));
    this.channel = new BroadcastChannel("patchloom");
    this.channel.addEventListener("message", ({ data }) => this.heard(data));
    document.addEventListener("visibilitychange", () => document.hidden && this.flush());
    addEventListener("pagehide", () => this.flush());
  }

  reset() {
    this.parts = {}; // to be written
    /** Parts of results that came while the work was not open, until their versions are kept. @type {string[]} */
    this.arrived = [];
    this.written = new Set(); // steps and versions that are in the store
    this.thumb = null;
  }

  /** A tab asks which works are open, or says so. */
  heard(message) {
    if (message.ask && this.session.id) this.channel.postMessage({ open: this.session.id });
    if (message.open) this.others?.add(message.open);
  }

  /** @returns {Promise<Set<string>>} the works that other tabs have open */
  async elsewhere() {
    this.others = new Set();
    this.channel.postMessage({ ask: true });
    await new Promise((done) => setTimeout(done, ANSWER_MS));
    return this.others;
  }

  /** Works that can be taken up again here. */
  async recent() {
    const [works, open] = await Promise.all([store.list().catch(() => []), this.elsewhere()]);
    return works.filter((work) => work.id !== this.session.id && !open.has(work.id) && !work.gone);
  }

  /** Forgets works; for a while they can be brought back. @param {string[]} ids */
  async forget(ids) {
    for (const id of ids) await store.update(id, { gone: Date.now() });
    this.dispatchEvent(new Event("recent"));
    setTimeout(() => this.purge(), FORGET_MS + 1000);
  }

  async bringBack(ids) {
    for (const id of ids) await store.update(id, { gone: 0 });
    this.dispatchEvent(new Event("recent"));
  }

  /** Removes what was forgotten a while ago. */
  async purge() {
    const works = await store.list().catch(() => []);
    const old = works.filter((work) => work.gone && Date.now() - work.gone > FORGET_MS);
    for (const work of old) await store.remove(work.id).catch(() => {});
  }

  /** Keeps a result of a work that is not open. */
  async arrive(id, version) {
    const shown = { touched: Date.now(), results: true, unsaved: true };
    await store.update(id, shown, { [`arrived/${version.key}`]: version }).catch((error) => this.fail(error));
    this.dispatchEvent(new Event("recent"));
  }

  note({ what, steps }) {
    if (this.restoring || what === "busy") return;
    if (what === "photo") {
      this.reset();
      sessionStorage.setItem(HERE, this.session.id);
      this.parts.photo = { name: this.session.name, blob: this.session.photo.blob };
    }
    if (what === "others") this.parts.others = this.session.others;
    for (const step of steps) this.parts[`step/${step.id}`] = step;
    this.later();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush()); // at once, but what changes together is written together
    this.say();
  }

  /** Whether anything is still to be written stands at the page. */
  say() {
    document.body.classList.toggle("keeping", this.timer > 0 || this.writing > 0);
  }

  async flush() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.writing += 1;
    await this.keep().finally(() => (this.writing -= 1));
    this.say();
  }

  /** Writes what has changed. Failing to keep is told once and stops nothing. */
  async keep() {
    const { session } = this;
    if (!session.photo || this.restoring) return;
    const parts = { ...this.parts, state: this.state(), marks: session.cells.snapshot() };
    const dropped = this.surplus();
    this.parts = {};
    for (const version of session.versions.values()) {
      const { picture, gone, saved, ...plain } = version;
      const part = `version/${version.key}`;
      if (!this.written.has(part)) parts[part] = { ...plain, blob: picture.blob };
    }
    for (const part of Object.keys(parts)) this.written.add(part);
    const { id } = session;
    const write = () => store.write(id, this.shown(), parts, dropped);
    try {
      await write().catch(async (error) => {
        if (!isFull(error) || !(await this.tidy(0))) throw error;
        await write();
      });
      if (this.thumb?.of !== session.picture) await this.look(id);
      await this.dropArrived(id);
    } catch (error) {
      if (session.id === id) this.again(parts);
      this.fail(error);
    }
  }

  /** What came has become versions, which are kept by now. */
  async dropArrived(id) {
    const done = this.arrived.filter((part) => this.written.has(part.replace("arrived/", "version/")));
    if (!done.length || this.session.id !== id) return;
    this.arrived = this.arrived.filter((part) => !done.includes(part));
    await store.write(id, this.shown(), {}, done);
  }

  /** Something cannot be kept, which is told once. */
  fail(error) {
    if (!this.failed) this.dispatchEvent(new CustomEvent("failed", { detail: { full: isFull(error) } }));
    this.failed = true;
  }

  /** What could not be written is written with the next change. */
  again(parts) {
    for (const part of Object.keys(parts)) this.written.delete(part);
    this.parts = { ...parts, ...this.parts };
  }

  /** Makes the small picture for the list, which may come a little later than the work. */
  async look(id) {
    const of = this.session.picture;
    const file = await store.withoutBlobs(await thumbnail(of));
    if (this.session.id !== id) return;
    this.thumb = { of, file };
    await store.write(id, this.shown(), {});
  }

  state() {
    const { session } = this;
    return {
      current: session.current,
      past: session.history.past.map((step) => step.id),
      future: session.history.future.map((step) => step.id),
      count: session.history.count,
      gone: [...session.versions.values()].filter((each) => each.gone).map((each) => each.key),
      saved: [...session.versions.values()].filter((each) => each.saved).map((each) => each.key),
      job: this.ways.job(),
      choices: this.ways.choices(),
    };
  }

  /** Steps in the store that can no longer be taken. */
  surplus() {
    const { past, future } = this.session.history;
    const living = new Set([...past, ...future].map((step) => `step/${step.id}`));
    const dead = [...this.written].filter((part) => part.startsWith("step/") && !living.has(part));
    for (const part of dead) this.written.delete(part);
    return dead;
  }

  shown() {
    const { session } = this;
    const living = [...session.versions.values()].filter((each) => !each.gone);
    const saved = session.versions.get(session.current)?.saved ?? living.some((each) => each.saved);
    const about = { results: living.length > 0, unsaved: living.length > 0 && !saved };
    return { name: session.name, touched: Date.now(), thumb: this.thumb?.file ?? null, ...about };
  }

  /** The results of all works, as they are shown, this one's first. @returns {Promise<{id: string, name: string, blob: Blob}[]>} */
  async finished() {
    const { session } = this;
    const own = session.versions.get(session.current);
    const all = own ? [{ id: session.id, name: session.name, key: own.key, blob: own.picture.blob }] : [];
    for (const { id, name, results } of await this.recent()) {
      if (!results) continue;
      const parts = await store.read(id);
      const arrived = [...parts.keys()].filter((part) => part.startsWith("arrived/")).at(-1);
      const version = parts.get(arrived ?? `version/${parts.get("state")?.current}`);
      if (version) all.push({ id, name, key: version.key, blob: version.blob, state: parts.get("state") });
    }
    return all;
  }

  /** Those results were saved. @param {Awaited<ReturnType<Keeper["finished"]>>} works */
  async saved(works) {
    for (const { id, key, state } of works) {
      if (id === this.session.id) this.session.versions.get(key).saved = true;
      else await store.update(id, { unsaved: false }, { state: { ...state, saved: [...state.saved, key] } });
    }
    this.later();
    this.dispatchEvent(new Event("recent"));
  }

  /** What this tab had open before it was loaded again, if anything. @returns {ReturnType<Keeper["restore"]>} */
  async takeUp() {
    const id = sessionStorage.getItem(HERE);
    if (!id || (await this.elsewhere()).has(id)) return null; // a copied tab starts anew
    return this.restore(id);
  }

  /**
   * Opens a kept work. @returns {Promise<{job: object | null, arrived: object[]} | null>} the fill that was under way in
   * it, and results that came since; null if it is not kept any more
   */
  async restore(id) {
    await this.session.last;
    await this.flush();
    const parts = await store.read(id).catch(() => new Map());
    const photo = parts.get("photo");
    if (!photo) return null;
    const { session } = this;
    const picture = await Picture.open(photo.blob);
    const versions = await Promise.all(
      [...parts].filter(([part]) => part.startsWith("version/")).map(([, each]) => opened(each)),
    );
    this.restoring = true;
    try {
      session.open(picture, photo.name, id);
      this.fill(parts, versions);
    } finally {
      this.restoring = false;
    }
    this.reset();
    for (const part of parts.keys()) this.written.add(part);
    sessionStorage.setItem(HERE, id);
    session.changed("picture");
    await picture.makeCopies();
    const arrived = [...parts].filter(([part]) => part.startsWith("arrived/"));
    this.arrived = arrived.map(([part]) => part);
    const job = parts.get("state")?.job ?? null;
    const over = arrived.some(([, { key }]) => key === job?.key);
    return { job: over ? null : job, arrived: arrived.map(([, version]) => version) };
  }

  fill(parts, versions) {
    const { session } = this;
    const state = parts.get("state");
    if (!state) return;
    for (const [index, version] of versions.entries()) {
      version.number ??= index + 1;
      version.gone = state.gone.includes(version.key);
      version.saved = state.saved.includes(version.key);
      session.versions.set(version.key, version);
    }
    session.others = parts.get("others") ?? [];
    session.cells.restore(parts.get("marks") ?? new Map());
    session.current = session.versions.has(state.current) ? state.current : "";
    const steps = (ids) => ids.map((id) => parts.get(`step/${id}`)).filter(Boolean);
    Object.assign(session.history, { past: steps(state.past), future: steps(state.future), count: state.count });
    this.ways.chosen(state.choices);
  }

  /**
   * Removes the oldest works beyond `most`, but none of which a result was not downloaded, and none that is in the row.
   * @returns {Promise<number>} how many
   */
  async tidy(most = MOST) {
    const row = new Set(this.ways.row());
    const old = (await this.recent()).slice(most).filter((work) => !(work.unsaved ?? work.results) && !row.has(work.id));
    for (const work of old) await store.remove(work.id).catch(() => {});
    return old.length;
  }
}

function isFull(error) {
  return error?.name === "QuotaExceededError";
}

async function opened({ blob, ...version }) {
  return { ...version, picture: await Picture.open(blob) };
}

/** A small JPEG of a picture. @param {import("./picture.js").Picture} picture */
function thumbnail(picture) {
  const canvas = document.createElement("canvas");
  drawSmall(canvas, picture);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
}
