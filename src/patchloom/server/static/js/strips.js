/** A row of small pictures: the versions of a result. */

import { thumbnail } from "./keeper.js";
import { duration, has, t } from "./texts.js";

const $ = (id) => document.getElementById(id);

/** The versions of what is shown. */
export class VersionStrip {
  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    /** @type {Map<string, {url: string, element: HTMLElement}>} */
    this.made = new Map();
  }

  show() {
    const { session } = this;
    const versions = session.photo ? session.siblings : [];
    $("versions").hidden = !versions.length;
    document.body.classList.toggle("versions", versions.length > 0);
    const wanted = versions.map((version, index) => this.item(version, index + 1));
    const list = $("version-list");
    if (wanted.length !== list.children.length || wanted.some((each, index) => each !== list.children[index])) {
      list.replaceChildren(...wanted);
    }
    for (const [key, { url }] of this.made) {
      if (session.versions.has(key)) continue;
      URL.revokeObjectURL(url);
      this.made.delete(key);
    }
  }

  item(version, number) {
    if (!this.made.has(version.key)) this.made.set(version.key, this.make(version));
    const { element } = this.made.get(version.key);
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
    const image = document.createElement("img");
    image.alt = "";
    const name = document.createElement("span");
    const about = document.createElement("small");
    const { preset } = version.settings;
    const quality = has(`quality.${preset}`) ? t(`quality.${preset}`) : preset;
    about.textContent = t("version.about", { quality, time: duration(version.seconds) });
    choose.append(image, name, about);
    const remove = document.createElement("button");
    remove.className = "remove";
    remove.innerHTML = '<svg aria-hidden="true"><use href="#i-close"/></svg><span class="unseen"></span>';
    choose.type = remove.type = "button";
    choose.addEventListener("click", () => this.session.choose(version.key));
    remove.addEventListener("click", () => this.session.remove(version.key));
    element.append(choose, remove);
    const made = { url: "", element };
    detail(version, this.session).then((blob) => {
      made.url = URL.createObjectURL(blob);
      image.src = made.url;
    });
    return made;
  }
}

/** A small picture of what was filled, since that is where versions differ. */
async function detail(version, session) {
  const marks = await createImageBitmap(version.mask);
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, 256 / Math.max(marks.width, marks.height));
  canvas.width = Math.max(1, Math.round(marks.width * scale));
  canvas.height = Math.max(1, Math.round(marks.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(marks, 0, 0, canvas.width, canvas.height);
  marks.close();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let [left, top, right, bottom] = [canvas.width, canvas.height, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] < 8) continue;
    const x = (i / 4) % canvas.width;
    const y = Math.floor(i / 4 / canvas.width);
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  if (right <= left) return thumbnail(version.picture);
  const box = { left: left / scale, top: top / scale, right: right / scale, bottom: bottom / scale };
  return thumbnail(version.picture, around(box, session.photo));
}

/** A square with the box in its middle and some of what is about it. */
function around({ left, top, right, bottom }, { width, height }) {
  const side = Math.min(width, height, Math.max(48, 1.7 * Math.max(right - left, bottom - top)));
  const x = Math.min(width - side, Math.max(0, (left + right - side) / 2));
  const y = Math.min(height - side, Math.max(0, (top + bottom - side) / 2));
  return { left: x, top: y, right: x + side, bottom: y + side };
}
