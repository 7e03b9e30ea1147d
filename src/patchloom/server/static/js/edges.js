/** Whether a part of the object was left outside the marks: a strong edge that runs along just outside them. */

const STRONG = 0.9; // share of the picture's gradients that are weaker than a strong one
const FAINT = 14; // gradients below this are noise, whatever the picture (of 255)
const ENOUGH = 0.4; // share of the marks' outline that a strong edge runs along

/**
 * The share of the outline along which a strong edge runs between `reach` and four times as far outside.
 * @param {Uint8ClampedArray} pixels RGBA @param {Uint8Array} marks 0 or more a pixel
 * @param {number} width @param {number} height @param {number} reach how far the marks grow by themselves, pixels
 * @returns {{share: number, left: boolean}}
 */
export function leftover(pixels, marks, width, height, reach) {
  const distance = distances(marks, width, height);
  const gradient = gradients(pixels, width, height);
  const strong = Math.max(FAINT, quantile(gradient, STRONG));
  const far = reach * 4 + 3;
  let outline = 0;
  let along = 0;
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const i = y * width + x;
      if (distance[i] !== 1) continue;
      outline += 1;
      if (edgeOutside(distance, gradient, i, width, height, reach, far, strong)) along += 1;
    }
  }
  const share = outline ? along / outline : 0;
  return { share, left: outline > 20 && share > ENOUGH };
}

/** Walks straight away from the marks and looks for a strong edge on the way. */
function edgeOutside(distance, gradient, start, width, height, reach, far, strong) {
  let at = start;
  for (let step = 1; step <= far; step++) {
    let next = at;
    for (const to of [at - 1, at + 1, at - width, at + width]) {
      if (to >= 0 && to < distance.length && distance[to] > distance[next]) next = to;
    }
    if (next === at) return false;
    at = next;
    if (step > reach && gradient[at] >= strong) return true;
  }
  return false;
}

/** City-block distance to the marks; 0 inside. */
function distances(marks, width, height) {
  const far = 0xffff;
  const out = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (marks[i]) continue;
      const up = y ? out[i - width] : far;
      const before = x ? out[i - 1] : far;
      out[i] = Math.min(far, Math.min(up, before) + 1);
    }
  }
  for (let i = out.length - 1; i >= 0; i--) {
    const down = i + width < out.length ? out[i + width] : far;
    const after = (i + 1) % width ? out[i + 1] : far;
    out[i] = Math.min(out[i], Math.min(down, after) + 1);
  }
  return out;
}

/** The steepest of the three colours, lightly smoothed, by central differences over two pixels. */
function gradients(pixels, width, height) {
  const out = new Float32Array(width * height);
  const row = 4 * width;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      let steepest = 0;
      for (let i = y * row + 4 * x, colour = 0; colour < 3; i++, colour++) {
        const across = pixels[i + 4] + pixels[i + 4 - row] + pixels[i + 4 + row];
        const back = pixels[i - 4] + pixels[i - 4 - row] + pixels[i - 4 + row];
        const below = pixels[i + row] + pixels[i + row - 4] + pixels[i + row + 4];
        const above = pixels[i - row] + pixels[i - row - 4] + pixels[i - row + 4];
        steepest = Math.max(steepest, Math.hypot(across - back, below - above));
      }
      out[y * width + x] = steepest / 6;
    }
  }
  return out;
}

function quantile(values, share) {
  const bins = new Uint32Array(256);
  for (const value of values) bins[Math.min(255, Math.floor(value))] += 1;
  let left = values.length * share;
  for (let bin = 0; bin < 256; bin++) {
    left -= bins[bin];
    if (left <= 0) return bin;
  }
  return 255;
}
