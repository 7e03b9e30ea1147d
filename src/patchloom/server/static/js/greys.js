/** Pictures and scribbles as the server takes them, and what it answers: in the worker, on canvases of its own. */

const CLOSED = 0.12; // of a stroke's length: how near its end comes to its beginning if it is drawn round something
const CORE = 0.4; // size of the part of what is inside that is taken for the object beforehand
const OBJECT = 255;
const OTHER = 128;
const JPEG_QUALITY = 0.95;

/** @param {ImageBitmap} bitmap which is closed @returns {Promise<Blob>} */
export function photographed(bitmap) {
  const { canvas, context } = surface(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
}

/**
 * Scribbles in the greys that the server reads; a first one that closes is drawn round the object.
 * @param {{points: {x: number, y: number}[], erase: boolean, width: number}[]} strokes in the photo's pixels
 */
export function scribbled(strokes, width, height, scale) {
  const { context } = surface(width, height);
  draw(context, strokes, width, height, scale);
  const levels = red(context.getImageData(0, 0, width, height).data);
  return encoded(levels.map((level) => (level > 250 ? OBJECT : level > 120 && level < 136 ? OTHER : 0)), width, height);
}

/** @param {Uint8Array} levels @returns {Promise<Blob>} a PNG */
export function encoded(levels, width, height) {
  const { canvas, context } = surface(width, height);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < levels.length; i++) pixels[i] = 0xff000000 | (levels[i] * 0x010101);
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** @param {Blob} file @returns {Promise<Uint8Array>} its red channel, a byte a pixel */
export async function decoded(file) {
  return red(await pixelsOf(file));
}

/** @param {Blob} file @returns {Promise<Uint8ClampedArray>} RGBA */
export async function pixelsOf(file) {
  const bitmap = await createImageBitmap(file);
  const { canvas, context } = surface(bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height).data;
}

function surface(width, height) {
  const canvas = new OffscreenCanvas(width, height);
  return { canvas, context: canvas.getContext("2d", { willReadFrequently: true }) };
}

function red(pixels) {
  return Uint8Array.from({ length: pixels.length / 4 }, (_, i) => pixels[4 * i]);
}

function draw(context, strokes, across, down, scale) {
  context.lineCap = context.lineJoin = "round";
  const closed = isClosed(strokes[0].points);
  context.fillStyle = grey(closed ? OTHER : 0); // on nothing, soft rims would have no level of their own
  context.fillRect(0, 0, across, down);
  if (closed) {
    const loop = strokes[0].points.map((point) => ({ x: point.x * scale, y: point.y * scale }));
    fillLoop(context, loop, 1, 0);
    fillLoop(context, loop, CORE, OBJECT);
  }
  for (const { points, erase, width } of strokes.slice(closed ? 1 : 0)) {
    context.strokeStyle = grey(erase ? OTHER : OBJECT);
    context.lineWidth = Math.max(2, width * scale);
    context.beginPath();
    points.forEach((point, index) => context[index ? "lineTo" : "moveTo"](point.x * scale, point.y * scale));
    const last = points[points.length - 1];
    context.lineTo(last.x * scale + 0.01, last.y * scale);
    context.stroke();
  }
}

function grey(level) {
  return `rgb(${level} ${level} ${level})`;
}

/** A stroke whose end comes back to its beginning. */
function isClosed(points) {
  const step = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
  const length = points.slice(1).reduce((sum, point, index) => sum + step(points[index], point), 0);
  return points.length > 8 && step(points[0], points[points.length - 1]) < CLOSED * length;
}

/** The inside of a loop, scaled about its middle. */
function fillLoop(context, loop, size, level) {
  const middle = (name) => loop.reduce((sum, point) => sum + point[name], 0) / loop.length;
  const [x, y] = [middle("x"), middle("y")];
  context.fillStyle = grey(level);
  context.beginPath();
  loop.forEach((point, index) => {
    context[index ? "lineTo" : "moveTo"](x + (point.x - x) * size, y + (point.y - y) * size);
  });
  context.fill();
}
