/** Draws the photo, the marks and what else is to be seen, once a frame and only when something changed. */

import { HOLE } from "./cells.js";
import { Overlay } from "./overlay.js";
import { View } from "./view.js";

const MOST_PIXELS = 16_777_216; // of a canvas on iOS

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {import("./session.js").Session} session */
  constructor(canvas, session) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.session = session;
    this.view = new View();
    this.overlay = new Overlay();
    this.showMarks = true;
    /** Share of the stage left of which the photo as it was is shown; null without comparison. */
    this.divider = null;
    this.showBefore = false;
    /** @type {{canvas: HTMLCanvasElement, box: number[]}[]} what a running fill has so far, a window each */
    this.previews = [];
    /** The outline of a shape under way, in photo coordinates. @type {{x: number, y: number}[] | null} */
    this.outline = null;
    /** @type {{x: number, y: number, radius: number} | null} the brush, in photo coordinates */
    this.cursor = null;
    this.frame = 0;
    new ResizeObserver(() => this.measure()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  measure() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.ratio = Math.min(window.devicePixelRatio || 1, Math.sqrt(MOST_PIXELS / (width * height)));
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(height * this.ratio);
    this.view.resize(width, height);
    this.redraw();
  }

  /** Shows another photo, whole. */
  reset() {
    const { photo } = this.session;
    this.view.photo = { width: photo.width, height: photo.height };
    this.previews = [];
    this.divider = null;
    this.view.fit();
    this.redraw();
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { context, session, view } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = getComputedStyle(this.canvas).backgroundColor;
    context.fillRect(0, 0, view.stage.width, view.stage.height);
    if (!session.photo) return;
    const picture = this.showBefore ? session.photo : session.picture;
    picture.draw(context, view, this.ratio);
    if (this.divider !== null && !this.showBefore) this.drawBefore();
    for (const preview of this.previews) this.drawPreview(preview);
    if (this.showMarks && !this.showBefore && this.divider === null && !this.previews.length) this.drawMarks();
    if (this.outline) this.drawOutline();
    if (this.cursor) this.drawCursor();
  }

  /** The photo as it was, on the left of the divider. */
  drawBefore() {
    const { context, view } = this;
    const x = this.divider * view.stage.width;
    context.save();
    context.beginPath();
    context.rect(0, 0, x, view.stage.height);
    context.clip();
    this.session.photo.draw(context, view, this.ratio);
    context.restore();
    for (const [width, colour] of [[5, "#000a"], [2, "#fff"]]) {
      context.fillStyle = colour;
      context.fillRect(x - width / 2, 0, width, view.stage.height);
    }
    context.beginPath();
    context.arc(x, view.stage.height / 2, 14, 0, 7);
    context.fill();
    context.fillStyle = "#222";
    context.font = "bold 14px system-ui";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText("‹ ›", x, view.stage.height / 2);
  }

  drawPreview({ canvas, box }) {
    const [x, y, width, height] = box;
    const from = this.view.toStage({ x, y });
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(canvas, from.x, from.y, width * this.view.scale, height * this.view.scale);
  }

  drawMarks() {
    const place = this.overlay.draw(this.session.cells, this.view);
    if (!place) return;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(this.overlay.canvas, place.left, place.top, place.width, place.height);
  }

  drawOutline() {
    const points = this.outline.map((point) => this.view.toStage(point));
    this.twoTone(() => {
      this.context.beginPath();
      points.forEach((point, index) => this.context[index ? "lineTo" : "moveTo"](point.x, point.y));
      this.context.closePath();
    });
  }

  drawCursor() {
    const at = this.view.toStage(this.cursor);
    const radius = Math.max(2, this.cursor.radius * this.view.scale);
    this.twoTone(() => {
      this.context.beginPath();
      this.context.arc(at.x, at.y, radius, 0, 7);
      if (radius < 6) {
        this.context.moveTo(at.x - 10, at.y);
        this.context.lineTo(at.x + 10, at.y);
        this.context.moveTo(at.x, at.y - 10);
        this.context.lineTo(at.x, at.y + 10);
      }
    });
  }

  /** A line that shows on dark and light. */
  twoTone(path) {
    path();
    this.context.strokeStyle = "#000c";
    this.context.lineWidth = 3;
    this.context.stroke();
    this.context.strokeStyle = "#fff";
    this.context.lineWidth = 1.25;
    this.context.stroke();
  }

  /**
   * Shows what a fill has so far in one window; only the hole is replaced.
   * @param {ImageBitmap} bitmap @param {number} window @param {[number, number, number, number]} box
   */
  addPreview(bitmap, window, box, bits = HOLE) {
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const image = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const [left, top, width, height] = box;
    const { cells } = this.session;
    for (let y = 0; y < bitmap.height; y++) {
      const row = Math.min(cells.height - 1, Math.floor(top + ((y + 0.5) * height) / bitmap.height)) * cells.width;
      for (let x = 0; x < bitmap.width; x++) {
        const column = Math.min(cells.width - 1, Math.floor(left + ((x + 0.5) * width) / bitmap.width));
        if (!(cells.data[row + column] & bits)) image.data[(y * bitmap.width + x) * 4 + 3] = 0;
      }
    }
    context.putImageData(image, 0, 0);
    this.previews[window] = { canvas, box };
    this.redraw();
  }
}
