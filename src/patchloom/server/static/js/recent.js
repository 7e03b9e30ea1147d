/** Works from before, to be opened again or forgotten: on the first screen and among the options. */

import { percent, t } from "./texts.js";

export class RecentList {
  /**
   * @param {import("./keeper.js").Keeper} keeper @param {import("./fill.js").Filler} filler whose fills show
   * @param {{open: (id: string) => void, forget: (works: object[]) => void}} actions
   */
  constructor(keeper, filler, { open, forget }) {
    this.keeper = keeper;
    this.filler = filler;
    this.open = open;
    this.forget = forget;
    this.works = [];
    for (const button of document.querySelectorAll("[data-forget]")) {
      button.addEventListener("click", () => forget(this.works));
    }
  }

  async show() {
    this.works = (await this.keeper.recent()).filter((work) => work.thumb);
    for (const place of document.querySelectorAll(".recent")) {
      const list = place.querySelector(".thumbs");
      for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
      list.replaceChildren(...this.works.map((work) => this.item(work)));
      place.hidden = !this.works.length;
    }
    this.tick();
  }

  item(work) {
    const item = document.createElement("div");
    item.className = "recent-work";
    item.dataset.work = work.id;
    const open = button(t(work.unsaved ? "recent.open.unsaved" : "recent.open", { name: work.name }), () => this.open(work.id));
    const image = document.createElement("img");
    image.src = URL.createObjectURL(work.thumb);
    image.alt = open.title;
    const state = document.createElement("small");
    state.className = "state";
    open.append(image, state);
    if (work.unsaved) open.classList.add("unsaved");
    const remove = button(t("recent.forget", { name: work.name }), () => this.forget([work]));
    remove.className = "remove";
    remove.setAttribute("aria-label", remove.title);
    remove.innerHTML = '<svg aria-hidden="true"><use href="#i-close"/></svg>';
    item.append(open, remove);
    return item;
  }

  /** Shows how far fills of photos are that are not open. */
  tick() {
    for (const item of document.querySelectorAll(".recent-work")) {
      const run = this.filler.runs.get(item.dataset.work);
      const text = run ? percent(Math.round(run.progress().fraction * 100) / 100) : "";
      const state = item.querySelector(".state");
      if (state.textContent !== text) state.textContent = text;
      item.classList.toggle("running", Boolean(run));
    }
  }
}

function button(title, act) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", title });
  made.addEventListener("click", act);
  return made;
}
