/** One work after another: files are opened, kept works opened again, fills go on meanwhile, works are forgotten. */

import { opened } from "./opening.js";
import { RecentList } from "./recent.js";
import { newId } from "./store.js";
import { t } from "./texts.js";

export class Works {
  /**
   * @param {import("./session.js").Session} session @param {{config: object, filler: import("./fill.js").Filler,
   *   keeper: import("./keeper.js").Keeper, tools: import("./tools.js").Tools,
   *   announcer: import("./announce.js").Announcer}} page
   */
  constructor(session, { config, filler, keeper, tools, announcer }) {
    /** A file has become a work after all. @type {(file: File, id: string) => void} */
    this.changed = () => {};
    Object.assign(this, { session, config, filler, keeper, tools, announcer });
    filler.put = (work, version) => keeper.arrive(work, version);
  }

  /** @param {(work: () => Promise<any>) => void} attempt runs what may fail, and tells the person if it does */
  listen(attempt) {
    const { keeper, filler, announcer } = this;
    this.attempt = attempt;
    const open = (id) => attempt(() => this.reopen(id));
    const recent = new RecentList(keeper, filler, { open, forget: (works) => attempt(() => this.forget(works)) });
    keeper.addEventListener("recent", () => recent.show());
    filler.addEventListener("progress", () => recent.tick());
    filler.addEventListener("away", ({ detail: { name, work } }) => {
      announcer.note(t("say.done-away", { name }), { text: t("say.show"), act: () => open(work) });
    });
  }

  /** The work that a file became before, if it is still kept; else the file. @returns {Promise<string>} the work's id */
  async open(file, id = "") {
    return (id && (await this.reopen(id))) || this.begin(file);
  }

  /** Opens a file as a new work; the one before stays among the recent ones. @returns {Promise<string>} its id */
  async begin(file) {
    const { session, keeper, announcer } = this;
    announcer.say(t("say.opening"), true);
    const picture = await opened(file, this.config).catch((error) => this.offerSmaller(error, file));
    if (!picture) return "";
    await this.leave();
    await keeper.flush();
    const kept = [...session.versions.values()].some((version) => !version.saved && !version.gone);
    session.open(picture, file.name || "photo", newId());
    announcer.clear();
    announcer.hide();
    if (kept) announcer.note(t("say.kept"));
    announcer.say(t("say.paint"), true);
    document.getElementById("canvas").focus({ preventScroll: true });
    await picture.makeCopies();
    session.changed("seen");
    await keeper.flush();
    await keeper.tidy();
    keeper.dispatchEvent(new Event("recent"));
    return session.id;
  }

  /** Of a photo that is too large, a copy may be worked on, in the row too. */
  offerSmaller(error, file) {
    if (!error.smaller) throw error;
    const act = () => this.attempt(async () => this.changed(file, await this.begin(await error.smaller())));
    this.announcer.note(error.message, { text: t("error.large.smaller"), act, stays: true });
    return null;
  }

  /** Nothing is under way any more that changes the photo that is open. */
  async leave() {
    this.tools.end();
    await this.filler.leave();
    await this.session.last;
  }

  /** Opens a work from before, with the fill that is under way in it. @returns {Promise<string>} its id, if it is kept */
  async reopen(id) {
    if (id === this.session.id) return id;
    await this.leave();
    const kept = await this.keeper.restore(id);
    this.announcer.clear();
    if (!kept) return "";
    this.keeper.dispatchEvent(new Event("recent"));
    this.goOn(kept);
    return id;
  }

  /** After a reload: what this tab had open. In a new tab: what there is to go on with. */
  async takeUp() {
    const kept = await this.keeper.takeUp();
    if (kept) this.announcer.say(t("say.back"), true);
    this.keeper.purge();
    this.keeper.dispatchEvent(new Event("recent"));
    if (kept) await this.goOn(kept);
  }

  /** Results that came meanwhile, and the fill that was under way. */
  async goOn({ job, arrived }) {
    const { session, filler } = this;
    for (const version of arrived) await filler.show(version);
    const lost = session.history.past.filter((step) => step.fill && step.fill !== job?.key);
    if (!filler.running) for (const step of lost) session.takeBack(step.fill);
    if (job && !this.filler.running) await this.filler.resume(job);
  }

  /** Forgets works from before, with the way back; their fills stop. */
  async forget(works) {
    const ids = works.map((work) => work.id);
    for (const id of ids) this.filler.runs.get(id)?.cancel();
    await this.keeper.forget(ids);
    const text = t("say.forgotten", { n: ids.length });
    this.announcer.note(text, { text: t("undo"), act: () => this.keeper.bringBack(ids) });
  }
}
