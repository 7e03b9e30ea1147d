/** Masks from files. */

import { Picture } from "./picture.js";
import { t } from "./texts.js";

/**
 * Marks what is white in a mask file (what is painted, if it is a layer on nothing).
 * @param {Blob} file @param {import("./session.js").Session} session
 */
export async function loadMask(file, session) {
  if (!session.cells) return;
  const { cells } = session;
  const ink = session.ink(false);
  await session.turn(async () => {
    const picture = await Picture.open(file);
    require(picture, cells);
    if (session.cells === cells) await session.alter("picture", { bitmap: picture.bitmaps[0], ink });
  });
}

/** Throws an Error unless the mask has the photo's shape. */
function require({ width, height }, cells) {
  const stretched = Math.abs((width * cells.height) / cells.width - height);
  if (stretched <= Math.max(1, (height / cells.height) * 2)) return;
  const sizes = { width, height, across: cells.width, down: cells.height };
  throw Object.assign(new Error(t("mask.shape")), { hint: t("mask.shape.hint", sizes) });
}
