/** Chooses other pictures that fills of the photo may take from. */

import { t } from "./texts.js";

const $ = (id) => document.getElementById(id);

export class Others {
  /** @param {import("./session.js").Session} session @param {number} most how many the server takes */
  constructor(session, most, announcer) {
    this.session = session;
    this.most = most;
    this.announcer = announcer;
    $("others").hidden = most === 0;
    $("others-add").addEventListener("click", () => $("others-file").click());
    $("others-file").addEventListener("change", () => {
      this.add([...$("others-file").files]);
      $("others-file").value = "";
    });
  }

  add(files) {
    const all = [...this.session.others, ...files];
    if (all.length > this.most) this.announcer.note(t("others.most", { n: this.most }));
    this.set(all.slice(0, this.most));
  }

  set(files) {
    this.session.others = files;
    this.session.changed("others");
  }

  show() {
    $("others-add").disabled = !this.session.photo;
    $("others-list").replaceChildren(...this.session.others.map((file) => this.row(file)));
  }

  row(file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = file.name;
    const remove = document.createElement("button");
    Object.assign(remove, { type: "button", className: "link", textContent: t("others.remove") });
    remove.setAttribute("aria-label", t("others.remove.named", { name: file.name }));
    remove.addEventListener("click", () => {
      this.set(this.session.others.filter((each) => each !== file));
      $("others-add").focus();
    });
    row.append(name, " ", remove);
    return row;
  }
}
