/** Before and after: with a divider on the photo, or side by side; against the photo or another version. */

import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class Comparer {
  /** @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage */
  constructor(session, stage) {
    this.session = session;
    this.stage = stage;
    $("compare").addEventListener("click", () => (stage.comparison ? this.end() : this.begin()));
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

  begin() {
    const { session, stage } = this;
    if (!session.versions.has(session.current)) return;
    this.list();
    const kind = document.querySelector("input[name=comparison]:checked").value;
    const share = stage.comparison?.share ?? 0.5;
    stage.comparison = { kind, share, other: session.pictureOf($("compare-with").value) };
    this.show();
  }

  /** What the version on show can be compared with. */
  list() {
    const { session } = this;
    const before = $("compare-with").value;
    $("compare-with").replaceChildren(new Option(t("compare.photo"), ""));
    session.siblings.forEach((version, index) => {
      if (version.key !== session.current) $("compare-with").add(new Option(t("version", { n: index + 1 }), version.key));
    });
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
