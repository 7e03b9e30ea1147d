/** Masks from files. */

import { Picture } from "./picture.js";
import { t } from "./texts.js";

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
  if (!session.filling) await session.turn(() => session.alter("picture", { bitmap: picture.bitmaps[0], ink }));
}
