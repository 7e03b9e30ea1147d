/** Where a hole lies, by the file of its mask. */

const SIDE = 256; // longer side of the picture in which it is looked for
const LIGHT = 8; // of 255: a small part of a pixel there

/** @type {WeakMap<Blob, Promise<import("./grid.js").Box | null>>} */
const known = new WeakMap();

/** @param {Blob} mask @param {{width: number, height: number}} photo @returns {Promise<import("./grid.js").Box | null>} */
export function boxOf(mask, photo) {
  if (!known.has(mask)) known.set(mask, found(mask, photo));
  return known.get(mask);
}

async function found(mask, photo) {
  const marks = await createImageBitmap(mask);
  const canvas = document.createElement("canvas");
  const scale = Math.min(1, SIDE / Math.max(marks.width, marks.height));
  canvas.width = Math.max(1, Math.round(marks.width * scale));
  canvas.height = Math.max(1, Math.round(marks.height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(marks, 0, 0, canvas.width, canvas.height);
  marks.close();
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let [left, top, right, bottom] = [canvas.width, canvas.height, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] < LIGHT) continue;
    const x = (i / 4) % canvas.width;
    const y = Math.floor(i / 4 / canvas.width);
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x + 1), Math.max(bottom, y + 1)];
  }
  if (right <= left) return null;
  const [across, down] = [photo.width / canvas.width, photo.height / canvas.height];
  return { left: left * across, top: top * down, right: right * across, bottom: bottom * down };
}
