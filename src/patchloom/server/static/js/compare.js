/** Before and after: with a divider on the photo, or side by side; against the photo or another version. */

import { boxOf } from "./holes.js";
import { t } from "./texts.js";

const HOLD_MS = 300;
const $ = (id) => document.getElementById(id);

export class Comparer {
  /** @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    $("compare").addEventListener("click", () => {
      if (this.held) this.held = false;
      else if (stage.comparison) this.end();
      else this.begin();
    });
    this.listenToHold();
    $("comparison-close").addEventListener("click", () => {
      this.end();
      $("compare").focus();
    });
    $("divider").addEventListener("input", () => this.move($("divider").value / 100));
    $("compare-with").addEventListener("change", () => this.begin());
    for (const choice of document.querySelectorAll("input[name=comparison]")) {
      choice.addEventListener("change", () => this.begin());
    }
  }

  /** The button held: the photo as it was, until it is let go. */
  listenToHold() {
    const show = (shown) => {
      this.stage.showBefore = shown;
      this.stage.redraw();
    };
    let timer = 0;
    $("compare").addEventListener("pointerdown", () => {
      this.held = false;
      timer = setTimeout(() => {
        this.held = true;
        show(true);
      }, HOLD_MS);
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      $("compare").addEventListener(name, () => {
        clearTimeout(timer);
        if (this.held) show(false);
      });
    }
    $("compare").addEventListener("contextmenu", (event) => event.preventDefault());
  }

  begin() {
    const { session, stage } = this;
    if (!session.versions.has(session.current)) return;
    this.list();
    const kind = document.querySelector("input[name=comparison]:checked").value;
    const version = session.versions.get(session.current);
    const against = session.versions.get($("compare-with").value);
    const labels = against ? [against, version].map(({ number }) => t("version", { n: number })) : [t("before"), t("after")];
    const { share } = stage.comparison ?? {};
    stage.comparison = { kind, share: share ?? 0.5, other: session.pictureOf(against?.key ?? ""), labels };
    this.show();
    if (share === undefined) this.start(version);
  }

  /** The divider begins where the hole was. */
  async start(version) {
    const { comparison } = this.stage;
    const box = await boxOf(version.mask, this.session.photo);
    const untouched = comparison === this.stage.comparison && comparison.share === 0.5;
    if (box && untouched) this.move((box.left + box.right) / 2 / this.session.photo.width);
  }

  /** What the version on show can be compared with. */
  list() {
    const { session } = this;
    const before = $("compare-with").value;
    $("compare-with").replaceChildren(new Option(t("compare.photo"), ""));
    for (const version of session.siblings) {
      if (version.key !== session.current) $("compare-with").add(new Option(t("version", { n: version.number }), version.key));
    }
    $("compare-with").value = before;
    if ($("compare-with").selectedIndex < 0) $("compare-with").value = "";
  }

  move(share) {
    if (!this.stage.comparison) return;
    this.stage.comparison.share = Math.min(1, Math.max(0, share));
    this.show();
  }

  /** @returns {boolean} whether there was one to end */
  end() {
    if (!this.stage.comparison) return false;
    this.stage.comparison = null;
    this.show();
    return true;
  }

  /** After a change: the comparison goes on with what is now shown, or ends. */
  follow() {
    if (!this.stage.comparison) return;
    if (this.session.versions.has(this.session.current)) this.begin();
    else this.end();
  }

  show() {
    const { comparison, canvas } = this.stage;
    canvas.classList.toggle("comparing", comparison?.kind === "divider");
    $("compare").setAttribute("aria-pressed", String(comparison !== null));
    $("comparison").hidden = comparison === null;
    $("divider").hidden = comparison?.kind !== "divider";
    if (comparison) $("divider").value = comparison.share * 100;
    this.stage.redraw();
  }
}
