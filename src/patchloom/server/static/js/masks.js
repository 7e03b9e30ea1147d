/** Masks from files. */

import { readMask, ServerError } from "./api.js";
import { Picture } from "./picture.js";
import { t } from "./texts.js";

/**
 * Marks what a mask file marks; the server reads it, as it does with a fill.
 * @param {Blob} file @param {import("./session.js").Session} session
 */
export async function loadMask(file, session) {
  if (!session.cells) return;
  const { cells } = session;
  const ink = session.ink(false);
  await session.turn(async () => {
    const picture = await Picture.open(await plain(file));
    require(picture, cells);
    if (session.cells === cells) await session.alter("picture", { bitmap: picture.bitmaps[0], ink });
  });
}

/** @returns {Promise<Blob>} a PNG, white where the file marks. Throws an Error with a sentence. */
async function plain(file) {
  try {
    return await readMask(file);
  } catch (error) {
    if (error instanceof ServerError && error.code === "bad_mask") error.hint = t("mask.unclear.hint");
    throw error;
  }
}

/** Throws an Error unless the mask has the photo's shape. */
function require({ width, height }, cells) {
  const stretched = Math.abs((width * cells.height) / cells.width - height);
  if (stretched <= Math.max(1, (height / cells.height) * 2)) return;
  const sizes = { width, height, across: cells.width, down: cells.height };
  throw Object.assign(new Error(t("mask.shape")), { hint: t("mask.shape.hint", sizes) });
}
