/** What is asked about an object's outline, and what is made of the answer. Pure functions, run in the worker. */

const OBJECT = 255;
const OTHER = 128;
const CORE = 0.4; // of the greatest depth: what is marked and lies as deep is surely the object
const REACH = 0.4; // of the side of a square as large as the marks: how far outside the object may go on
const LEAST_REACH = 4;
const LEAST = 0.03; // of the marks: what is proposed is at least as large,
const MOST = 0.6; // and at most
const LEAST_COUNT = 40; // pixels
const PART = 0.004; // of the marks: a smaller part is left out
const ALIKE = 0.46; // how like the object a part is: in 48 whole marks nothing else is taken for a part, in 90 cut short it is found 80 times
const STEPS = 8; // of each colour channel
const SOFT = [0.21, 0.58]; // a neighbouring step's share, and the own
const RING = 6; // pixels

/**
 * Marks as a question: their inside is the object, what is far from them is not, the rest is open.
 * @param {Uint8Array} marks 0 or 1 a pixel @param {number} areas how many they are @returns {Uint8Array} levels
 */
export function question(marks, width, height, areas) {
  const inside = distances(marks, width, height, 0);
  const outside = distances(marks, width, height, 1);
  let [area, deepest] = [0, 0];
  for (let i = 0; i < marks.length; i++) {
    area += marks[i];
    deepest = Math.max(deepest, inside[i]);
  }
  const reach = Math.max(LEAST_REACH, REACH * Math.sqrt(area / Math.max(1, areas)));
  return marks.map((mark, i) => (mark ? (inside[i] >= CORE * deepest ? OBJECT : 0) : outside[i] > reach ? OTHER : 0));
}

/**
 * What of the object that was found lies beside the marks, adjoins them, and has rather the colours of what they surely
 * cover than of what lies around it: a loose brush covers some of the background, which goes on beside it.
 * @param {Uint8Array} levels the answer @param {Uint8Array} asked what question() gave
 * @param {Uint8Array} marks 0 or 1 a pixel @param {Uint8ClampedArray} pixels RGBA
 * @param {number} growth how far the marks grow by themselves @returns {Uint8Array | null} null: too little, or too much
 */
export function addition(levels, asked, marks, pixels, width, height, growth) {
  const outside = distances(marks, width, height, 1);
  const found = levels.map((level, i) => (level > 200 && outside[i] > growth ? 1 : 0));
  const whole = opened(found, width, height);
  const area = marks.reduce((sum, mark) => sum + mark, 0);
  const object = colours(pixels, [...asked.keys()].filter((i) => asked[i] === OBJECT));
  const kept = new Uint8Array(marks.length);
  let count = 0;
  for (const part of parts(whole, width, height)) {
    if (part.length < PART * area || !part.some((i) => outside[i] <= growth + 2)) continue;
    const ground = colours(pixels, around(part, whole, width, height).filter((i) => !marks[i]));
    if (likeness(pixels, part, object, ground) < ALIKE) continue;
    for (const i of part) kept[i] = 1;
    count += part.length;
  }
  return count >= Math.max(LEAST_COUNT, LEAST * area) && count <= MOST * area ? kept : null;
}

/** How often each colour comes, as shares: levels in steps, softened over neighbouring ones. */
function colours(pixels, where) {
  const out = new Float32Array(STEPS ** 3);
  for (const i of where) out[colour(pixels, i)] += 1 / where.length;
  for (const stride of [1, STEPS, STEPS * STEPS]) {
    const before = out.slice();
    for (let i = 0; i < out.length; i++) {
      const at = Math.floor(i / stride) % STEPS;
      out[i] = SOFT[1] * before[i] + SOFT[0] * ((at ? before[i - stride] : 0) + (at < STEPS - 1 ? before[i + stride] : 0));
    }
  }
  return out;
}

function colour(pixels, i) {
  const level = (channel) => (pixels[4 * i + channel] * STEPS) >> 8;
  return (level(0) * STEPS + level(1)) * STEPS + level(2);
}

/** How likely the pixels of a part are to be the object rather than the ground, by their colours: 0 to 1. */
function likeness(pixels, part, object, ground) {
  const share = (i) => object[i] / (object[i] + ground[i] + 1e-9);
  return part.reduce((sum, i) => sum + share(colour(pixels, i)), 0) / part.length;
}

/** Pixels near a part that are not of the mask. */
function around(part, mask, width, height) {
  const seen = new Set(part);
  let rim = part;
  const all = [];
  for (let step = 0; step < RING; step++) {
    const next = [];
    for (const i of rim) {
      for (const to of neighbours(i, width, height)) {
        if (seen.has(to) || mask[to]) continue;
        seen.add(to);
        next.push(to);
      }
    }
    all.push(...next);
    rim = next;
  }
  return all;
}

function neighbours(i, width, height) {
  const x = i % width;
  return [x ? i - 1 : i, x < width - 1 ? i + 1 : i, i >= width ? i - width : i, i + width < width * height ? i + width : i];
}

/** City-block distance to the nearest pixel that is `value`; 0 there. What lies outside the picture is none. */
export function distances(marks, width, height, value) {
  const far = 0xffff;
  const out = new Uint16Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (marks[i] === value) continue;
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

/** Without what is narrower than three pixels. */
function opened(mask, width, height) {
  const inside = distances(mask, width, height, 0);
  const core = inside.map((depth) => (depth > 1 ? 1 : 0));
  return distances(core, width, height, 1).map((away, i) => (away <= 1 && mask[i] ? 1 : 0));
}

/** Pixels that hang together. @returns {Generator<number[]>} */
export function* parts(mask, width, height) {
  const seen = new Uint8Array(mask.length);
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || seen[start]) continue;
    const part = [start];
    seen[start] = 1;
    for (let at = 0; at < part.length; at++) {
      for (const next of neighbours(part[at], width, height)) {
        if (!mask[next] || seen[next]) continue;
        seen[next] = 1;
        part.push(next);
      }
    }
    yield part;
  }
}
