/** A file becomes a photo, or is refused with the reason before anybody has painted on it. */

import { recognise } from "./api.js";
import { aside } from "./aside.js";
import { Picture } from "./picture.js";
import { number, t } from "./texts.js";

const BEGINNING = 1 << 16;
const BYTES = 3; // a pixel of a JPEG takes at most
const ROOM = 0.98; // of what is taken
const PAGED = ["TIFF"]; // of which the first page is meant

/** @param {File} file @param {object} config what the server takes @returns {Promise<Picture>} throws Error with a sentence,
 * and with `smaller`, which makes a copy that is taken, where the photo is too large */
export async function opened(file, { limits }) {
  const name = file.name || t("photo");
  const found = await recognise(file.slice(0, BEGINNING));
  if (!found.format) throw refusal("error.format", { name });
  if (found.several_frames && !PAGED.includes(found.format)) throw refusal("error.moving", { name });
  const most = t("size.most", { mb: limits.request_bytes / 2 ** 20, megapixels: limits.pixels / 1e6 });
  const tooLarge = (size, picture) => {
    const error = refusal("error.large", { name, size, most });
    return Object.assign(error, { smaller: () => shrunk(picture, name, limits) });
  };
  const picture = await Picture.open(file);
  const { width, height } = picture;
  if (width * height > limits.pixels) {
    throw tooLarge(t("size.pixels", { width: number(width), height: number(height) }), picture);
  }
  if (file.size > limits.request_bytes) throw tooLarge(t("size.mb", { n: file.size / 2 ** 20 }), picture);
  return picture;
}

/** A copy that is taken: a JPEG of eight bits, without the photo's metadata. @returns {Promise<File>} */
async function shrunk(picture, name, { pixels, request_bytes }) {
  const most = Math.min(pixels, request_bytes / BYTES);
  const scale = Math.min(1, Math.sqrt((most * ROOM) / (picture.width * picture.height)));
  const [resizeWidth, resizeHeight] = [picture.width, picture.height].map((side) => Math.max(1, Math.floor(side * scale)));
  const bitmap = await createImageBitmap(picture.bitmaps[0], { resizeWidth, resizeHeight, resizeQuality: "high" });
  picture.close();
  const file = await aside("photographed", { bitmap }, [bitmap]);
  return new File([file], `${name.replace(/\.[^.]*$/, "")}.jpg`, { type: file.type });
}

function refusal(key, values) {
  return Object.assign(new Error(t(key, values)), { hint: t(`${key}.hint`, values) });
}
