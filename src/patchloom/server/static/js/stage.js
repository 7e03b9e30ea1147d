/** Draws the photo, the marks and what else is to be seen, once a frame and only when something changed. */

import { HOLE } from "./cells.js";
import { Overlay } from "./overlay.js";
import { drawHandle, drawLabel, drawScribble, proposalPicture } from "./sketch.js";
import { View } from "./view.js";

const MOST_PIXELS = 16_777_216; // of a canvas on iOS
const HALF_MARGIN = 8; // CSS pixels beside a photo that is shown in half of the stage
const PULSE_MS = 120;
const LOOK_MS = 60;
const LOUPE = 62; // radius, CSS pixels
const LOUPE_ZOOM = 1.8;

/** @typedef {{kind: "divider" | "sides", share: number, other: import("./picture.js").Picture,
 *   labels: string[]}} Comparison labels: of the other one and of the one on show; share: of the photo's width, left of which the other picture is shown */

export class Stage {
  /** @param {HTMLCanvasElement} canvas @param {import("./session.js").Session} session */
  constructor(canvas, session) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.session = session;
    this.view = new View();
    this.overlay = new Overlay();
    this.showMarks = true;
    /** @type {Comparison | null} */
    this.comparison = null;
    this.showBefore = false;
    /** @type {{canvas: HTMLCanvasElement, box: number[]}[]} what a running fill has so far, a window each */
    this.previews = [];
    /** The outline of a shape under way, in photo coordinates. @type {{x: number, y: number}[] | null} */
    this.outline = null;
    /** A scribble on an object. @type {{points: {x: number, y: number}[], erase: boolean} | null} */
    this.scribble = null;
    /** Scribbles whose objects are looked for. @type {{points: {x: number, y: number}[], erase: boolean}[]} */
    this.looking = [];
    /** What is proposed to be marked, as a picture of the photo. @type {HTMLCanvasElement | null} */
    this.proposal = null;
    /** @type {{x: number, y: number, radius: number} | null} the brush, in photo coordinates */
    this.cursor = null;
    /** Where a finger paints, in stage coordinates. @type {{x: number, y: number} | null} */
    this.finger = null;
    /** Marks that a fill was given, which are no longer the session's. @type {import("./cells.js").Cells | null} */
    this.given = null;
    this.frame = 0;
    this.pulsing = 0;
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
    this.draw(); // at once: a canvas of a new size is empty
  }

  /** Shows another photo, whole. */
  reset() {
    const { photo } = this.session;
    this.view.photo = { width: photo.width, height: photo.height };
    this.previews = [];
    this.comparison = null;
    this.view.fit();
    this.redraw();
  }

  /** A fill begins or is over: while it runs, its marks' outlines pulse. @param {import("./cells.js").Cells} [given] */
  filling(running, given = null) {
    clearInterval(this.pulsing);
    this.previews = [];
    this.given = given;
    this.pulse = 0;
    if (running && !isStill()) {
      this.pulsing = setInterval(() => {
        this.pulse += 1;
        this.redraw();
      }, PULSE_MS);
    }
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
    if (!this.ratio) return;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.fillStyle = getComputedStyle(this.canvas).backgroundColor;
    context.fillRect(0, 0, view.stage.width, view.stage.height);
    if (!session.photo) return;
    document.body.classList.toggle("zoomed", !view.fitted);
    if (this.showBefore) return session.photo.draw(context, view, this.ratio);
    if (this.comparison?.kind === "sides") return this.drawSides();
    session.picture.draw(context, view, this.ratio);
    if (this.comparison) return this.drawDivider();
    for (const { canvas, box } of this.previews) this.drawOver(canvas, ...box);
    if (this.showMarks) this.drawMarks();
    if (this.outline) this.drawOutline();
    if (this.proposal) this.drawOver(this.proposal, 0, 0, view.photo.width, view.photo.height);
    for (const scribble of this.looking) drawScribble(context, view, scribble, this.turning ?? 0);
    if (this.scribble) drawScribble(context, view, this.scribble);
    if (this.cursor) this.drawCursor();
    if (this.finger) this.drawLoupe();
  }

  /** The part of the stage on which the photo lies. */
  get frameOfPhoto() {
    const { view } = this;
    const from = view.toStage({ x: 0, y: 0 });
    const to = view.toStage({ x: view.photo.width, y: view.photo.height });
    return {
      left: Math.max(0, from.x),
      top: Math.max(0, from.y),
      right: Math.min(view.stage.width, to.x),
      bottom: Math.min(view.stage.height, to.y),
    };
  }

  /** Where the divider is on the stage: on the photo, and in sight. */
  get dividerX() {
    const { left, right } = this.frameOfPhoto;
    const at = this.view.toStage({ x: this.comparison.share * this.view.photo.width, y: 0 }).x;
    return Math.min(right, Math.max(left, at));
  }

  /** The other picture, on the left of the divider. */
  drawDivider() {
    const { context } = this;
    const { left, top, right, bottom } = this.frameOfPhoto;
    const x = this.dividerX;
    const clipped = (from, to, draw) => {
      context.save();
      context.beginPath();
      context.rect(from, top, to - from, bottom - top);
      context.clip();
      draw();
      context.restore();
    };
    clipped(left, x, () => this.comparison.other.draw(context, this.view, this.ratio));
    clipped(left - 3, right + 3, () => {
      for (const [width, colour] of [[4, "#0008"], [2, "#fff"]]) {
        context.fillStyle = colour;
        context.fillRect(x - width / 2, top, width, bottom - top);
      }
    });
    drawHandle(context, x, (top + bottom) / 2);
    const [before, after] = this.comparison.labels;
    drawLabel(context, before, x - 14, bottom - 38, 1, [left, right]);
    drawLabel(context, after, x + 14, bottom - 38, 0, [left, right]);
  }

  /** The other picture and the one on show, each on its half of the stage and moved alike. */
  drawSides() {
    const { context, view } = this;
    const { width, height } = view.stage;
    const room = (width / 2 - 2 * HALF_MARGIN) / (view.photo.width * view.scale);
    const seen = view.fitted ? view.shrunk(Math.min(1, room)) : view;
    [this.comparison.other, this.session.picture].forEach((picture, half) => {
      context.save();
      context.beginPath();
      context.rect(half * (width / 2) + half, 0, width / 2 - 1, height);
      context.clip();
      context.translate((half ? 1 : -1) * (width / 4), 0);
      picture.draw(context, seen, this.ratio);
      context.restore();
      drawLabel(context, this.comparison.labels[half], (half + 0.5) * (width / 2), height - 38, 0.5, [0, width]);
    });
  }

  /** Scribbles whose objects are looked for: something runs along them. @param {{points: object[], erase: boolean}[]} all */
  look(all) {
    this.looking = all;
    clearInterval(this.running);
    this.turning = 0;
    if (all.length && !isStill()) {
      this.running = setInterval(() => {
        this.turning += 1;
        this.redraw();
      }, LOOK_MS);
    }
    this.redraw();
  }

  /** What could be marked, seen before it is. @param {{mask: Uint8Array, across: number, down: number} | null} task */
  propose(task) {
    this.proposal = task && proposalPicture(task);
    this.redraw();
  }

  /** A picture over a part of the photo. */
  drawOver(canvas, x, y, width, height) {
    const from = this.view.toStage({ x, y });
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(canvas, from.x, from.y, width * this.view.scale, height * this.view.scale);
  }

  drawMarks() {
    const { session } = this;
    const pulse = 0.6 + 0.4 * Math.cos(this.pulse * 0.45);
    if (this.given) this.drawCells(this.given, pulse, { growth: session.growth, bare: this.previews.length > 0 }, HOLE);
    this.drawCells(session.cells, 1, { growth: session.growth });
  }

  drawCells(cells, alpha, how, bits) {
    const { context } = this;
    const place = this.overlay.draw(cells, this.view, how, bits);
    if (!place) return;
    context.save();
    context.globalAlpha = alpha;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.overlay.canvas, place.left, place.top, place.width, place.height);
    context.restore();
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

  /** What is under the finger, larger, in the corner that the finger is not near. */
  drawLoupe() {
    const { context, finger, ratio } = this;
    const { width } = this.view.stage;
    const near = finger.x < 2.6 * LOUPE && finger.y < 2.6 * LOUPE;
    const at = { x: near ? width - LOUPE - 10 : LOUPE + 10, y: LOUPE + 10 };
    const reach = LOUPE / LOUPE_ZOOM;
    context.save();
    context.beginPath();
    context.arc(at.x, at.y, LOUPE, 0, 7);
    context.clip();
    const size = 2 * reach * ratio;
    const from = [(finger.x - reach) * ratio, (finger.y - reach) * ratio, size, size];
    context.drawImage(this.canvas, ...from, at.x - LOUPE, at.y - LOUPE, 2 * LOUPE, 2 * LOUPE);
    context.restore();
    this.twoTone(() => {
      context.beginPath();
      context.arc(at.x, at.y, LOUPE, 0, 7);
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
   * Shows what a fill has so far in one window; only what is filled is replaced.
   * @param {ImageBitmap} bitmap @param {number} window @param {[number, number, number, number]} box
   * @param {Uint8Array} [mask] what is filled, a byte a pixel; without it, all of the window
   */
  addPreview(bitmap, window, box, mask) {
    const canvas = document.createElement("canvas");
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    if (mask) cutOut(context, bitmap, box, mask, this.session.cells);
    this.previews[window] = { canvas, box };
    this.canvas.dispatchEvent(new Event("preview"));
    this.redraw();
  }
}

/** Whether the person wants things to keep still. */
function isStill() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Makes all of a window transparent but what is filled. */
function cutOut(context, bitmap, [left, top, width, height], mask, cells) {
  const image = context.getImageData(0, 0, bitmap.width, bitmap.height);
  for (let y = 0; y < bitmap.height; y++) {
    const row = Math.min(cells.height - 1, Math.floor(top + ((y + 0.5) * height) / bitmap.height)) * cells.width;
    for (let x = 0; x < bitmap.width; x++) {
      const column = Math.min(cells.width - 1, Math.floor(left + ((x + 0.5) * width) / bitmap.width));
      if (!mask[row + column]) image.data[(y * bitmap.width + x) * 4 + 3] = 0;
    }
  }
  context.putImageData(image, 0, 0);
}
