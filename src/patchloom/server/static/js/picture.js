/** A picture to look at: its bytes as they are, and bitmaps of several sizes so that drawing stays quick. */

import { display } from "./api.js";

const SMALL = 1024;
const THUMB = 160;

export class Picture {
  /** @param {Blob} blob @param {number} width of the file, upright @param {number} height @param {ImageBitmap} bitmap */
  constructor(blob, width, height, bitmap) {
    this.blob = blob;
    this.width = width;
    this.height = height;
    this.bitmaps = [bitmap];
  }

  /** Reads a file. What the browser cannot show (TIFF), the server shows it. Throws Error with a sentence. */
  static async open(blob) {
    try {
      const bitmap = await createImageBitmap(blob);
      return new Picture(blob, bitmap.width, bitmap.height, bitmap);
    } catch {
      const shown = await display(blob);
      return new Picture(blob, shown.width, shown.height, await createImageBitmap(shown.blob));
    }
  }

  /** Makes the smaller copies, once; until they are there, the large one is drawn. */
  makeCopies() {
    this.copied ??= this.copy();
    return this.copied;
  }

  async copy() {
    for (;;) {
      const last = this.bitmaps[this.bitmaps.length - 1];
      if (Math.max(last.width, last.height) <= SMALL) return;
      const options = {
        resizeWidth: Math.max(1, last.width >> 1),
        resizeHeight: Math.max(1, last.height >> 1),
        resizeQuality: "medium",
      };
      this.bitmaps.push(await createImageBitmap(last, options));
    }
  }

  /** Draws the part of the picture that lies on the stage. @param {CanvasRenderingContext2D} context */
  draw(context, view, ratio) {
    const wanted = this.width * view.scale * ratio;
    const bitmap = this.bitmaps.findLast((copy) => copy.width >= wanted) ?? this.bitmaps[0];
    const left = Math.max(0, -view.x / view.scale);
    const top = Math.max(0, -view.y / view.scale);
    const right = Math.min(this.width, (view.stage.width - view.x) / view.scale);
    const bottom = Math.min(this.height, (view.stage.height - view.y) / view.scale);
    if (right <= left || bottom <= top) return;
    const sx = bitmap.width / this.width;
    const sy = bitmap.height / this.height;
    if (this.blob.type !== "image/jpeg") checker(context, view, ratio, { left, top, right, bottom });
    context.imageSmoothingEnabled = view.scale < 3;
    context.drawImage(
      bitmap,
      left * sx,
      top * sy,
      (right - left) * sx,
      (bottom - top) * sy,
      left * view.scale + view.x,
      top * view.scale + view.y,
      (right - left) * view.scale,
      (bottom - top) * view.scale,
    );
  }

  close() {
    for (const bitmap of this.bitmaps) bitmap.close();
  }
}

const SQUARE = 8;
let pattern = null;

/** The squares that show through where a picture is transparent. */
function checker(context, view, ratio, { left, top, right, bottom }) {
  pattern ??= squares(context);
  context.fillStyle = pattern;
  const whole = (place, round) => round(place * ratio) / ratio; // whole pixels inside the photo: no line at its edges
  const from = view.toStage({ x: left, y: top });
  const to = view.toStage({ x: right, y: bottom });
  const [x, y] = [whole(from.x, Math.ceil), whole(from.y, Math.ceil)];
  context.fillRect(x, y, whole(to.x, Math.floor) - x, whole(to.y, Math.floor) - y);
}

function squares(context) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 2 * SQUARE;
  const ink = tile.getContext("2d");
  ink.fillStyle = "#fff";
  ink.fillRect(0, 0, 2 * SQUARE, 2 * SQUARE);
  ink.fillStyle = "#ccc";
  ink.fillRect(0, 0, SQUARE, SQUARE);
  ink.fillRect(SQUARE, SQUARE, SQUARE, SQUARE);
  return context.createPattern(tile, "repeat");
}

/** Draws a picture small, or a box of it. @param {HTMLCanvasElement} canvas @param {Picture} picture */
export function drawSmall(canvas, picture, box = { left: 0, top: 0, right: picture.width, bottom: picture.height }) {
  const whole = box.right - box.left >= picture.width;
  const bitmap = picture.bitmaps[whole ? picture.bitmaps.length - 1 : 0];
  const by = bitmap.width / picture.width;
  const [x, y, width, height] = [box.left, box.top, box.right - box.left, box.bottom - box.top].map((each) => each * by);
  const scale = Math.min(1, THUMB / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d").drawImage(bitmap, x, y, width, height, 0, 0, canvas.width, canvas.height);
}
