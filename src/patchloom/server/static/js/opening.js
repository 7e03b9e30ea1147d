/** A file becomes a photo, or is refused with the reason before anybody has painted on it. */

import { recognise } from "./api.js";
import { Picture } from "./picture.js";
import { number, t } from "./texts.js";

const BEGINNING = 1 << 16;
const PAGED = ["TIFF"]; // of which the first page is meant

/** @param {File} file @param {object} config what the server takes @returns {Promise<Picture>} */
export async function opened(file, { limits }) {
  const name = file.name || t("photo");
  const found = await recognise(file.slice(0, BEGINNING));
  if (!found.format) throw refusal("error.format", { name });
  if (found.several_frames && !PAGED.includes(found.format)) throw refusal("error.moving", { name });
  const most = t("size.most", { mb: limits.request_bytes / 2 ** 20, megapixels: limits.pixels / 1e6 });
  const tooLarge = (size) => refusal("error.large", { name, size, most });
  if (file.size > limits.request_bytes) throw tooLarge(t("size.mb", { n: file.size / 2 ** 20 }));
  const picture = await Picture.open(file);
  const { width, height } = picture;
  if (width * height <= limits.pixels) return picture;
  picture.close();
  throw tooLarge(t("size.pixels", { width: number(width), height: number(height) }));
}

function refusal(key, values) {
  return Object.assign(new Error(t(key, values)), { hint: t(`${key}.hint`, values) });
}
