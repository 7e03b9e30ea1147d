/** What is drawn over the photo for a while: scribbles on an object, what is proposed to be marked, a comparison. */

const PROPOSED = 0x99ff9600; // blue, see-through: alpha, blue, green, red
const RIM = 0xffffffff;
const LABEL = "600 14px system-ui, sans-serif";
const DASH = 9; // CSS pixels

/**
 * @param {CanvasRenderingContext2D} context @param {import("./view.js").View} view
 * @param {{points: {x: number, y: number}[], erase: boolean}} scribble @param {number | null} pulse what its object is
 * looked for with: dashes that run along it
 */
export function drawScribble(context, view, { points, erase }, pulse = null) {
  const places = points.map((point) => view.toStage(point));
  context.save();
  context.lineCap = context.lineJoin = "round";
  const colours = [[9, "#000a"], [6, erase ? "#ff9d9d" : "#8fd0ff"]];
  if (pulse !== null) colours.push([3, "#fff"]);
  for (const [width, colour] of colours) {
    if (width === 3) Object.assign(context, { lineDashOffset: -pulse * 3 }).setLineDash([DASH, DASH]);
    context.beginPath();
    places.forEach((point, index) => context[index ? "lineTo" : "moveTo"](point.x, point.y));
    context.lineTo(places[places.length - 1].x + 0.01, places[places.length - 1].y);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
  if (pulse !== null) drawSpinner(context, places[places.length - 1], pulse);
  context.restore();
}

/** For a tap, whose dashes cannot be seen. */
function drawSpinner(context, { x, y }, pulse) {
  context.setLineDash([]);
  for (const [width, colour] of [[5, "#000a"], [3, "#fff"]]) {
    context.beginPath();
    context.arc(x, y, 15, pulse * 0.6, pulse * 0.6 + 4.4);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.stroke();
  }
}

/** A mask that is only proposed, as a picture of its size. @param {{mask: Uint8Array, across: number, down: number}} task */
export function proposalPicture({ mask, across, down }) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: across, height: down });
  const image = new ImageData(across, down);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const x = i % across;
    const rim = !mask[i - across] || !mask[i + across] || (x && !mask[i - 1]) || (x < across - 1 && !mask[i + 1]);
    pixels[i] = rim ? RIM : PROPOSED;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** What a divider is grabbed by. */
export function drawHandle(context, x, y) {
  context.save();
  context.shadowColor = "#0006";
  context.shadowBlur = 6;
  context.fillStyle = "#fff";
  context.beginPath();
  context.arc(x, y, 18, 0, 7);
  context.fill();
  context.restore();
  context.strokeStyle = "#222";
  context.lineWidth = 2;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(x + side * 5, y - 5);
    context.lineTo(x + side * 10, y);
    context.lineTo(x + side * 5, y + 5);
  }
  context.stroke();
}

/** A word on the photo. @param {number} part of its width that lies left of x @param {number[]} limits in which it fits */
export function drawLabel(context, text, x, y, part, [left, right]) {
  context.save();
  context.font = LABEL;
  const width = context.measureText(text).width + 20;
  const from = x - part * width;
  if (from >= left && from + width <= right) {
    context.fillStyle = "#000a";
    context.beginPath();
    context.roundRect(from, y, width, 26, 8);
    context.fill();
    context.fillStyle = "#fff";
    context.textBaseline = "middle";
    context.fillText(text, from + 10, y + 13.5);
  }
  context.restore();
}
