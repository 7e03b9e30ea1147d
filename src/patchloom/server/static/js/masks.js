/** Masks from files. */

import { Picture } from "./picture.js";
import { t } from "./texts.js";

const STRIP = 1 << 22; // pixels read at a time: far below what any canvas holds

/**
 * Marks what is white in a mask file (what is painted, if it is a layer on nothing).
 * @param {Blob} file @param {import("./session.js").Session} session
 */
export async function loadMask(file, session) {
  const picture = await Picture.open(file);
  const { width, height } = session.cells;
  const stretched = Math.abs((picture.width * height) / width - picture.height);
  if (stretched > Math.max(1, (picture.height / height) * 2)) {
    const sizes = { width: picture.width, height: picture.height, across: width, down: height };
    throw Object.assign(new Error(t("mask.shape")), { hint: t("mask.shape.hint", sizes) });
  }
  const ink = session.ink(false);
  session.mark((cells) => {
    cells.touch(cells.whole);
    forEachStrip(picture.bitmaps[0], width, height, (pixels, top, rows) => {
      for (let i = 0; i < rows * width; i++) {
        const p = i * 4;
        const light = (pixels[p] + pixels[p + 1] + pixels[p + 2]) / 3;
        if (light > 127 && pixels[p + 3] > 127) {
          const at = top * width + i;
          cells.data[at] = (cells.data[at] & ~ink.clear) | ink.set;
        }
      }
    });
  });
  picture.close();
}

function forEachStrip(bitmap, width, height, read) {
  const canvas = document.createElement("canvas");
  const rows = Math.max(1, Math.min(height, Math.floor(STRIP / width)));
  canvas.width = width;
  canvas.height = rows;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  for (let top = 0; top < height; top += rows) {
    const count = Math.min(rows, height - top);
    const scale = bitmap.height / height;
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, top * scale, bitmap.width, count * scale, 0, 0, width, count);
    read(context.getImageData(0, 0, width, count).data, top, count);
  }
}
