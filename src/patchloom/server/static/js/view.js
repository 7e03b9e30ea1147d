/** Where the photo lies on the stage: screen = photo * scale + offset, in CSS pixels. */

const CLOSEST = 32;

export class View {
  constructor() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.stage = { width: 1, height: 1 };
    this.photo = { width: 1, height: 1 };
    this.fitted = true;
  }

  get fitScale() {
    const margin = Math.min(32, this.stage.width * 0.06);
    return Math.min(
      (this.stage.width - margin) / this.photo.width,
      (this.stage.height - margin) / this.photo.height,
    );
  }

  /** Shows the whole photo. */
  fit() {
    this.fitted = true;
    this.scale = this.fitScale;
    this.x = (this.stage.width - this.photo.width * this.scale) / 2;
    this.y = (this.stage.height - this.photo.height * this.scale) / 2;
  }

  /** The stage has another size: the whole photo stays whole, a part stays where it was. */
  resize(width, height) {
    this.x += (width - this.stage.width) / 2;
    this.y += (height - this.stage.height) / 2;
    this.stage = { width, height };
    if (this.fitted) this.fit();
    else this.hold();
  }

  /** The same view, smaller about the middle of the stage. */
  shrunk(factor) {
    const { width, height } = this.stage;
    const place = { x: width / 2 + (this.x - width / 2) * factor, y: height / 2 + (this.y - height / 2) * factor };
    return Object.assign(new View(), this, { scale: this.scale * factor, ...place });
  }

  /** Zooms by `factor`; the point under (x, y) of the stage stays there. */
  zoom(factor, x = this.stage.width / 2, y = this.stage.height / 2) {
    const least = Math.min(1, this.fitScale) / 2;
    const scale = Math.min(CLOSEST, Math.max(least, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.hold();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.hold();
  }

  /** Keeps some of the photo on the stage. */
  hold() {
    const keep = 64;
    const clamp = (value, low, high) => Math.min(Math.max(value, low), Math.max(low, high));
    this.x = clamp(this.x, keep - this.photo.width * this.scale, this.stage.width - keep);
    this.y = clamp(this.y, keep - this.photo.height * this.scale, this.stage.height - keep);
  }

  /** Moves the photo so that a photo point is well inside the stage. */
  reveal(point) {
    const margin = 40;
    const at = this.toStage(point);
    const dx = at.x < margin ? margin - at.x : Math.min(0, this.stage.width - margin - at.x);
    const dy = at.y < margin ? margin - at.y : Math.min(0, this.stage.height - margin - at.y);
    if (dx || dy) this.pan(dx, dy);
  }

  toPhoto(point) {
    return { x: (point.x - this.x) / this.scale, y: (point.y - this.y) / this.scale };
  }

  toStage(point) {
    return { x: point.x * this.scale + this.x, y: point.y * this.scale + this.y };
  }
}
