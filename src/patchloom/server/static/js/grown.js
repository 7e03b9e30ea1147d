/** A disc's worth more, or less, of what is marked. Pure functions over one byte a cell; run in a worker. */

/**
 * Every cell within `pixels` (Euclidean) of one that has any of `bits`; with a negative number, every cell farther
 * than that from any that has none. What lies outside the box counts as not marked when growing and as marked when
 * shrinking, so that the photo's border does not eat into marks that touch it.
 * @param {Uint8Array} data @param {number} width @param {number} height @param {number} bits @param {number} pixels
 * @returns {Uint8Array} one byte a cell, 0 or 1
 */
export function grown(data, width, height, bits, pixels) {
  if (pixels >= 0) return spread(data, width, height, (value) => (value & bits) !== 0, pixels);
  const away = spread(data, width, height, (value) => (value & bits) === 0, -pixels);
  return away.map((value) => 1 - value);
}

/** Row by row: each run of wanted cells adds the chords of its discs to the rows about it, by their ends. */
function spread(data, width, height, wanted, reach) {
  const table = Uint8Array.from({ length: 256 }, (_, value) => (wanted(value) ? 1 : 0));
  const rows = Array.from({ length: height }, (_, y) => runs(data, y * width, width, table));
  const half = Array.from({ length: reach + 1 }, (_, d) => Math.floor(Math.sqrt(reach * reach - d * d)));
  const out = new Uint8Array(width * height);
  const steps = new Int32Array(width + 1);
  for (let y = 0; y < height; y++) {
    steps.fill(0);
    let any = false;
    for (let from = Math.max(0, y - reach); from <= Math.min(height - 1, y + reach); from++) {
      const chord = half[Math.abs(from - y)];
      const ends = rows[from];
      for (let i = 0; i < ends.length; i += 2) {
        steps[Math.max(0, ends[i] - chord)]++;
        steps[Math.min(width, ends[i + 1] + chord)]--;
        any = true;
      }
    }
    if (!any) continue;
    for (let x = 0, depth = 0; x < width; x++) {
      depth += steps[x];
      if (depth > 0) out[y * width + x] = 1;
    }
  }
  return out;
}

/** Where runs of wanted cells begin and end in one row. */
function runs(data, start, width, table) {
  const ends = [];
  for (let x = 0; x < width; x++) {
    if (!table[data[start + x]]) continue;
    ends.push(x);
    while (x < width && table[data[start + x]]) x++;
    ends.push(x);
  }
  return ends;
}
