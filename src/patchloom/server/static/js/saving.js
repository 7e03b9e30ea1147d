/** Saving: the result as it is, in another kind, size or quality, with all other finished photos, or by sharing. */

import { canCopy, canShare, copy, download, named, resultFile } from "./result.js";
import { t } from "./texts.js";
import { different, zipped } from "./zip.js";

const $ = (id) => document.getElementById(id);

export class Saving {
  /**
   * @param {import("./session.js").Session} session @param {import("./keeper.js").Keeper} keeper
   * @param {import("./announce.js").Announcer} announcer @param {Record<string, string>} endings by media type
   * @param {(work: () => Promise<any>) => Promise<any>} attempt runs what may fail, and tells the person if it does
   */
  constructor(session, keeper, announcer, endings, attempt) {
    Object.assign(this, { session, keeper, announcer, endings, attempt });
    $("download").addEventListener("click", () => this.save());
    for (const button of document.querySelectorAll("[data-download]")) {
      button.addEventListener("click", () => this.save({ type: button.dataset.download }));
    }
    $("download-all").addEventListener("click", () => this.saveAll());
    $("download-size").addEventListener("click", () => this.ask());
    $("saving-go").addEventListener("click", () => this.save(this.asked()));
    $("copy").addEventListener("click", () => this.copy());
    for (const id of ["share", "share-first"]) {
      $(id).hidden = !canShare();
      $(id).addEventListener("click", () => this.share());
    }
    $("copy").hidden = !canCopy();
    keeper.addEventListener("recent", () => this.offerAll());
  }

  /** @param {{type?: string, side?: number, quality?: number}} how as the result is, but for what is told */
  save(how = {}) {
    const { session, keeper, announcer } = this;
    const version = session.versions.get(session.current);
    if (!version) return;
    this.attempt(async () => {
      const file = await resultFile(session, this.endings, how);
      download(file, file.name);
      version.saved = true;
      announcer.clear();
      keeper.later();
    });
  }

  share() {
    this.attempt(async () => {
      const files = [await resultFile(this.session, this.endings)];
      await navigator.share({ files }).catch((error) => {
        if (error.name !== "AbortError") throw error; // the person has thought better of it
      });
    });
  }

  /** @returns {boolean} false: there is no result, or text is selected, which the browser copies */
  copy() {
    if (this.session.current === "" || !canCopy() || !getSelection().isCollapsed) return false;
    this.attempt(async () => {
      await copy(this.session);
      this.announcer.note(t("say.copied"));
    });
    return true;
  }

  ask() {
    const { width, height, blob } = this.session.picture;
    $("saving-kind").value = ["image/jpeg", "image/webp"].includes(blob.type) ? blob.type : "image/png";
    $("saving-side").max = $("saving-side").value = Math.max(width, height);
    $("saving").showModal();
  }

  asked() {
    const side = Number($("saving-side").value);
    return { type: $("saving-kind").value, side, quality: Number($("saving-quality").value) / 100, anew: true };
  }

  /** Whether there is more than one finished photo. */
  async offerAll() {
    const others = (await this.keeper.recent()).filter((work) => work.results);
    $("download-all").hidden = !others.length;
  }

  saveAll() {
    this.attempt(async () => {
      const works = await this.keeper.finished();
      const names = different(works.map(({ name, blob }) => named(name, blob, this.endings)));
      download(await zipped(works.map(({ blob }, index) => ({ name: names[index], blob }))), "patchloom.zip");
      await this.keeper.saved(works);
    });
  }
}
