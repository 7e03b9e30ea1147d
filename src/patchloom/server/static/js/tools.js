/** The tools: what a press, a move and a release on the photo do. All in photo coordinates. */

import { capsule, polygon, rectangle } from "./shapes.js";

export const LARGEST_SHARE = 0.25; // of the photo's longer side: the largest brush

export class Tools {
  /**
   * @param {import("./session.js").Session} session @param {import("./stage.js").Stage} stage
   * @param {(points: {x: number, y: number}[], erase: boolean) => void} select what a scribble on an object does
   */
  constructor(session, stage, select) {
    this.session = session;
    this.select = select;
    this.stage = stage;
    this.tool = "brush";
    this.size = 40; // diameter of the brush in photo pixels
    /** @type {{x: number, y: number}[] | null} */
    this.points = null;
  }

  get busy() {
    return this.points !== null;
  }

  get painting() {
    return this.tool === "brush" || this.tool === "eraser";
  }

  get erasing() {
    return this.tool === "eraser";
  }

  get largest() {
    const { photo } = this.session;
    return photo ? Math.max(2, Math.round(Math.max(photo.width, photo.height) * LARGEST_SHARE)) : 500;
  }

  start(point, erase = this.erasing) {
    if (this.session.locked) return;
    this.erase = erase;
    this.points = [point];
    if (this.painting) {
      this.session.cells.begin();
      this.dab(point, point);
    }
    this.show();
  }

  move(point) {
    if (!this.points) return;
    const last = this.points[this.points.length - 1];
    if (this.tool === "rectangle") this.points = [this.points[0], point];
    else this.points.push(point);
    if (this.painting) this.dab(last, point);
    this.show();
  }

  end() {
    if (!this.points) return;
    const points = this.points;
    this.points = null;
    const ink = this.session.ink(this.erase);
    if (this.tool === "rectangle" && points.length > 1) {
      this.session.mark((cells) => rectangle(cells, points[0], points[1], ink));
    } else if (this.tool === "lasso") {
      this.session.mark((cells) => polygon(cells, points, ink));
    } else if (this.tool === "select") {
      this.select(points, this.erase);
    } else if (this.painting) {
      this.session.remember(this.session.cells.end());
    }
    this.show();
  }

  /** As if the press had never been. */
  drop() {
    if (!this.points) return;
    this.points = null;
    if (this.painting) this.session.dropStroke();
    this.show();
  }

  dab(from, to) {
    capsule(this.session.cells, from, to, this.size / 2, this.session.ink(this.erase));
  }

  show() {
    this.stage.outline = null;
    if (this.points && this.tool === "rectangle" && this.points.length > 1) {
      const [a, b] = this.points;
      this.stage.outline = [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
    } else if (this.points && this.tool === "lasso") {
      this.stage.outline = this.points;
    }
    this.stage.scribble = this.points && this.tool === "select" ? { points: this.points, erase: this.erase } : null;
    this.stage.redraw();
  }
}
