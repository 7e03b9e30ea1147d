/** The buttons round the stage: each calls an action, and shows how things stand. */

import { grow } from "./shapes.js";

const $ = (id) => document.getElementById(id);

/** Tools and the brush's size. */
export class Toolbar {
  /** @param {import("./tools.js").Tools} tools @param {import("./stage.js").Stage} stage */
  constructor(tools, stage) {
    this.tools = tools;
    this.stage = stage;
    this.buttons = [...document.querySelectorAll("[data-tool]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.choose(button.dataset.tool));
    $("size").addEventListener("input", () => this.setSize(fromSlider($("size").value, tools.largest)));
    walkWithArrows($("toolbar"));
    this.choose("brush");
  }

  choose(name) {
    this.tools.tool = name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
    this.stage.canvas.dataset.tool = name;
    this.stage.redraw();
  }

  setSize(size) {
    this.tools.size = Math.min(this.tools.largest, Math.max(1, Math.round(size)));
    $("size").value = toSlider(this.tools.size, this.tools.largest);
    $("size").setAttribute("aria-valuetext", `${this.tools.size} pixels`);
    $("size-value").textContent = `${this.tools.size} px`;
    if (this.stage.cursor) this.stage.cursor.radius = this.tools.size / 2;
    this.stage.redraw();
  }

  /** At least one pixel more or less. */
  resize(factor) {
    const size = this.tools.size * factor;
    this.setSize(factor > 1 ? Math.max(this.tools.size + 1, size) : Math.min(this.tools.size - 1, size));
  }
}

/** The slider is logarithmic: small brushes matter as much as large ones. */
function toSlider(size, largest) {
  return (100 * Math.log(size)) / Math.log(largest);
}

function fromSlider(value, largest) {
  return Math.exp((value / 100) * Math.log(largest));
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

/** What can be done to the marks. @param {import("./session.js").Session} session */
export function listenToMarks(session, { loadMask, saveMask, stage }) {
  for (const choice of document.querySelectorAll("input[name=layer]")) {
    choice.addEventListener("change", () => (session.layer = choice.value));
  }
  const reach = () => Math.max(1, Math.round(Math.max(session.cells.width, session.cells.height) / 500));
  $("clear").addEventListener("click", () => session.clear());
  $("invert").addEventListener("click", () => session.invert());
  $("grow").addEventListener("click", () => session.mark((cells) => grow(cells, session.bit, reach())));
  $("shrink").addEventListener("click", () => session.mark((cells) => grow(cells, session.bit, -reach())));
  $("recall").addEventListener("click", () => session.recall());
  $("mask-load").addEventListener("click", () => $("mask-file").click());
  $("mask-save").addEventListener("click", saveMask);
  $("mask-file").addEventListener("change", () => {
    if ($("mask-file").files.length) loadMask($("mask-file").files[0]);
    $("mask-file").value = "";
  });
  $("colour").addEventListener("change", () => {
    stage.overlay.colour = $("colour").value;
    stage.redraw();
  });
  $("show-marks").addEventListener("change", () => {
    stage.showMarks = $("show-marks").checked;
    stage.redraw();
  });
}

/** Shows how marks and results stand. @param {import("./session.js").Session} session */
export function showSession(session, filler) {
  const open = session.photo !== null;
  document.body.classList.toggle("open", open);
  $("welcome").hidden = open;
  $("undo").disabled = !session.history.past.length || filler.running;
  $("redo").disabled = !session.history.future.length || filler.running;
  const result = session.current >= 0;
  for (const id of ["download", "compare", "before", "again"]) $(id).disabled = !result;
  $("after-fill").hidden = !result;
  if (!open) return;
  const { share, areas, done, limited } = session.summary;
  const percent = (share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 1);
  const { width, height } = session.photo;
  $("file-info").textContent = `${session.name} · ${width} × ${height}`;
  $("marked").textContent = areas
    ? `${areas} ${areas === 1 ? "area" : "areas"} marked, ${percent} % of the photo`
    : result
      ? "Paint more, or fill the same again."
      : "Nothing is marked yet.";
  $("canvas").setAttribute(
    "aria-label",
    `Photo ${width} by ${height}, ${areas} ${areas === 1 ? "hole" : "holes"}, ${percent} percent marked`,
  );
  $("recall").hidden = !done;
  $("source-note").hidden = !limited;
  $("fill").disabled = filler.running || !(areas || done);
}

/** Progress and Cancel in place of Fill while a fill runs. @param {import("./fill.js").Filler} filler */
export function showProgress(filler, { fraction, text }) {
  $("run").hidden = !filler.running;
  $("fill").hidden = filler.running;
  $("progress").value = fraction;
  $("progress").textContent = `${Math.round(fraction * 100)} %`;
  $("progress-text").textContent = text;
  $("cancel").disabled = filler.stopping;
}
