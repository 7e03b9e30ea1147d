/** The tools and the brush's size. */

import { number, t } from "./texts.js";

const LARGEST = 240; // CSS pixels
const $ = (id) => document.getElementById(id);

export class Toolbar {
  /** @param {import("./tools.js").Tools} tools @param {import("./stage.js").Stage} stage */
  constructor(tools, stage) {
    this.tools = tools;
    this.stage = stage;
    this.buttons = [...document.querySelectorAll("#toolbar [data-tool]")];
    $("size").addEventListener("input", () => {
      this.setSize(fromSlider($("size").value));
      this.preview();
    });
    for (const name of ["change", "blur", "pointerup"]) $("size").addEventListener(name, () => this.endPreview());
    $("take-away").addEventListener("change", () => (tools.takeAway = $("take-away").checked));
    walkWithArrows($("toolbar"));
    this.choose("brush");
    this.setSize(tools.size);
  }

  choose(name) {
    this.tools.tool = name;
    this.tools.takeAway = $("take-away").checked = false;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
    document.body.dataset.chosen = name;
    this.stage.redraw();
  }

  setSize(size) {
    this.tools.size = Math.min(LARGEST, Math.max(1, Math.round(size)));
    $("size").value = toSlider(this.tools.size);
    $("size").setAttribute("aria-valuetext", t("size.value", { n: this.tools.size }));
    $("size-value").textContent = number(this.tools.size);
    if (this.stage.cursor) this.stage.cursor.radius = this.tools.radius;
    this.stage.redraw();
  }

  /** Shows the brush in the middle of the stage while its size is chosen. */
  preview() {
    const { view, session } = this.stage;
    if (!session.photo) return;
    this.previewing = true;
    const middle = view.toPhoto({ x: view.stage.width / 2, y: view.stage.height / 2 });
    this.stage.cursor = { ...middle, radius: this.tools.radius };
    this.stage.redraw();
  }

  endPreview() {
    if (!this.previewing) return;
    this.previewing = false;
    this.stage.cursor = null;
    this.stage.redraw();
  }

  /** At least one pixel more or less. */
  resize(factor) {
    const size = this.tools.size * factor;
    this.setSize(factor > 1 ? Math.max(this.tools.size + 1, size) : Math.min(this.tools.size - 1, size));
  }
}

/** The slider is logarithmic: small brushes matter as much as large ones. */
function toSlider(size) {
  return (100 * Math.log(size)) / Math.log(LARGEST);
}

function fromSlider(value) {
  return Math.exp((value / 100) * Math.log(LARGEST));
}

function walkWithArrows(toolbar) {
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const buttons = [...toolbar.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    buttons[(at + step + buttons.length) % buttons.length].focus();
  });
}
