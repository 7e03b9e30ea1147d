/** A row of small pictures: the versions of a result. */

import { boxOf } from "./holes.js";
import { drawSmall } from "./picture.js";
import { duration, has, t } from "./texts.js";

const $ = (id) => document.getElementById(id);

/** The versions of what is shown. */
export class VersionStrip {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Map<string, HTMLElement>} */
    this.made = new Map();
    /** A fill under way and its place among the versions. @type {{run: import("./run.js").Run, element: HTMLElement} | null} */
    this.pending = null;
  }

  /** Shows a fill under way, or none. @param {import("./run.js").Run | null} run */
  follow(run) {
    const shown = run?.file ? run : null; // there is something to be seen of it
    if (shown !== (this.pending?.run ?? null)) {
      this.pending = shown && { run, element: this.pendingItem(run) };
      this.show();
    }
    const text = this.pending?.element.lastChild;
    if (text && text.textContent !== run.brief()) text.textContent = run.brief();
  }

  pendingItem({ file, plan }) {
    const element = document.createElement("div");
    element.className = "version pending";
    element.append(detail(this.session.pictureOf(plan.base), file), document.createElement("span"));
    return element;
  }

  show() {
    const { session } = this;
    const versions = session.photo ? session.siblings : [];
    const steps = session.photo ? session.steps : [""];
    $("versions").hidden = steps.length < 2 && !this.pending;
    document.body.classList.toggle("versions", !$("versions").hidden);
    this.showSteps(steps);
    const wanted = versions.map((version) => this.item(version));
    if (this.pending && !session.versions.has(this.pending.run.plan.key)) wanted.push(this.pending.element);
    const list = $("version-list");
    if (wanted.length !== list.children.length || wanted.some((each, index) => each !== list.children[index])) {
      list.replaceChildren(...wanted);
    }
    for (const key of this.made.keys()) if (!session.versions.has(key)) this.made.delete(key);
  }

  /** Original, step 1, step 2: a press shows the photo as it was then. */
  showSteps(keys) {
    const { session } = this;
    const group = session.versions.get(session.current)?.group;
    const buttons = keys.map((key, n) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: n ? t("steps.step", { n }) : t("steps.original") });
      const shown = key === session.current || (key && session.versions.get(key)?.group === group);
      button.setAttribute("aria-pressed", String(Boolean(shown)));
      button.addEventListener("click", () => session.choose(key));
      return button;
    });
    $("steps").replaceChildren(...buttons);
  }

  item(version) {
    const { number } = version;
    if (!this.made.has(version.key)) this.made.set(version.key, this.make(version));
    const element = this.made.get(version.key);
    const [choose, remove] = element.children;
    choose.setAttribute("aria-pressed", String(version.key === this.session.current));
    choose.querySelector("span").textContent = t("version", { n: number });
    remove.title = t("version.remove", { n: number });
    remove.firstElementChild.nextElementSibling.textContent = remove.title;
    return element;
  }

  make(version) {
    const element = document.createElement("div");
    element.className = "version";
    const choose = document.createElement("button");
    const name = document.createElement("span");
    const about = document.createElement("small");
    const { preset } = version.settings;
    const quality = has(`quality.${preset}`) ? t(`quality.${preset}`) : preset;
    about.textContent = t("version.about", { quality, time: duration(version.seconds) });
    choose.append(detail(version.picture, version.mask), name, about);
    const remove = document.createElement("button");
    remove.className = "remove";
    remove.innerHTML = '<svg aria-hidden="true"><use href="#i-close"/></svg><span class="unseen"></span>';
    choose.type = remove.type = "button";
    choose.addEventListener("click", () => this.session.choose(version.key));
    remove.addEventListener("click", () => this.session.remove(version.key));
    element.append(choose, remove);
    return element;
  }
}

/** A small picture of what was filled, since that is where versions differ; until that is found, of the whole. */
function detail(picture, mask) {
  const canvas = document.createElement("canvas");
  drawSmall(canvas, picture);
  boxOf(mask, picture).then((box) => box && drawSmall(canvas, picture, around(box, picture)));
  return canvas;
}

/** A square with the box in its middle and some of what is about it. */
function around({ left, top, right, bottom }, { width, height }) {
  const side = Math.min(width, height, Math.max(48, 1.7 * Math.max(right - left, bottom - top)));
  const x = Math.min(width - side, Math.max(0, (left + right - side) / 2));
  const y = Math.min(height - side, Math.max(0, (top + bottom - side) / 2));
  return { left: x, top: y, right: x + side, bottom: y + side };
}
