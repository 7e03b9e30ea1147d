/** The tools: what a press, a move and a release on the photo do. All in photo coordinates. */

import { capsule, polygon, rectangle } from "./shapes.js";

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
    this.size = 36; // diameter of the brush in CSS pixels, however near the photo is seen
    this.takeAway = false; // a scribble shows what does not belong to the object
    /** @type {{x: number, y: number}[] | null} */
    this.points = null;
    session.addEventListener("change", ({ detail }) => detail.what === "photo" && this.drop());
  }

  get busy() {
    return this.points !== null;
  }

  get painting() {
    return isBrush(this.tool);
  }

  get erasing() {
    return this.tool === "eraser" || (this.tool === "select" && this.takeAway);
  }

  /** Of the brush, in the photo's pixels. */
  get radius() {
    return this.size / 2 / this.stage.view.scale;
  }

  start(point, erase = this.erasing) {
    this.used = this.tool; // another one may be chosen before the stroke ends
    this.erase = erase;
    this.brush = { ink: this.session.ink(erase), radius: this.radius };
    this.points = [point];
    this.paint();
    this.show();
  }

  move(point) {
    if (!this.points) return;
    if (this.used === "rectangle") this.points = [this.points[0], point];
    else this.points.push(point);
    this.paint();
    this.show();
  }

  /** Draws what the brush has gone over, but for the time in which marks are worked out: then it is drawn at its end. */
  paint() {
    const { session } = this;
    if (!isBrush(this.used) || (!session.stroke && session.last)) return;
    if (!session.stroke) {
      session.beginStroke();
      this.drawn = 0;
    }
    draw(session.cells, this.points, this.drawn, this.brush);
    this.drawn = this.points.length;
  }

  end() {
    if (!this.points) return;
    const { session, points, brush } = this;
    const { ink } = brush;
    this.points = null;
    if (session.stroke) {
      session.endStroke();
    } else if (isBrush(this.used)) {
      session.mark((cells) => draw(cells, points, 0, brush));
    } else if (this.used === "rectangle" && points.length > 1) {
      session.mark((cells) => rectangle(cells, points[0], points[1], ink));
    } else if (this.used === "lasso") {
      session.mark((cells) => polygon(cells, points, ink));
    } else if (this.used === "select") {
      this.select(points, this.erase);
    }
    this.show();
  }

  /** As if the press had never been. */
  drop() {
    if (!this.points) return;
    this.points = null;
    if (this.session.stroke) this.session.endStroke(false);
    this.show();
  }

  show() {
    this.stage.outline = null;
    if (this.points && this.used === "rectangle" && this.points.length > 1) {
      const [a, b] = this.points;
      this.stage.outline = [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
    } else if (this.points && this.used === "lasso") {
      this.stage.outline = this.points;
    }
    this.stage.scribble = this.points && this.used === "select" ? { points: this.points, erase: this.erase } : null;
    this.stage.redraw();
  }
}

/** The brush through `points` from number `first` on. */
function draw(cells, points, first, { ink, radius }) {
  for (let i = first; i < points.length; i++) capsule(cells, points[Math.max(0, i - 1)], points[i], radius, ink);
}

function isBrush(tool) {
  return tool === "brush" || tool === "eraser";
}
