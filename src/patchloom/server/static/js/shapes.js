/** Shapes drawn into the marks, row by row. Coordinates are photo pixels; a pixel's centre is at +0.5. */

/** @typedef {import("./cells.js").Cells} Cells */
/** @typedef {{set: number, clear: number}} Ink which bits a shape sets and clears */
/** @typedef {{x: number, y: number}} Point */

/** A brush stroke from a to b: all within `radius` of the line between them. @returns the box touched */
export function capsule(cells, a, b, radius, ink) {
  const reach = Math.max(0.5, radius);
  const box = cells.touch({
    left: Math.min(a.x, b.x) - reach - 1,
    top: Math.min(a.y, b.y) - reach - 1,
    right: Math.max(a.x, b.x) + reach + 1,
    bottom: Math.max(a.y, b.y) + reach + 1,
  });
  if (radius <= 0.5) line(cells, a, b, ink);
  else for (let y = box.top; y < box.bottom; y++) capsuleRow(cells, a, b, reach, y, ink);
  return box;
}

/** The part of one row inside the capsule: the discs at its ends and the band between them. */
function capsuleRow(cells, a, b, radius, y, ink) {
  const cy = y + 0.5;
  let left = Infinity;
  let right = -Infinity;
  const widen = (x0, x1) => {
    left = Math.min(left, x0);
    right = Math.max(right, x1);
  };
  for (const end of [a, b]) {
    const d = cy - end.y;
    if (Math.abs(d) <= radius) {
      const half = Math.sqrt(radius * radius - d * d);
      widen(end.x - half, end.x + half);
    }
  }
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length = Math.hypot(dx, dy);
  if (length > 0) {
    const nx = (-dy / length) * radius;
    const ny = (dx / length) * radius;
    const corners = [
      { x: a.x + nx, y: a.y + ny },
      { x: b.x + nx, y: b.y + ny },
      { x: b.x - nx, y: b.y - ny },
      { x: a.x - nx, y: a.y - ny },
    ];
    for (const x of crossings(corners, cy)) widen(x, x);
  }
  if (left <= right) cells.span(y, Math.ceil(left - 0.5), Math.floor(right - 0.5) + 1, ink.set, ink.clear);
}

/** One pixel wide. */
function line(cells, a, b, ink) {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y))));
  for (let i = 0; i <= steps; i++) {
    const x = Math.floor(a.x + ((b.x - a.x) * i) / steps);
    const y = Math.floor(a.y + ((b.y - a.y) * i) / steps);
    cells.span(y, x, x + 1, ink.set, ink.clear);
  }
}

/** @param {Cells} cells @param {Point} a one corner @param {Point} b the other @param {Ink} ink */
export function rectangle(cells, a, b, ink) {
  const box = cells.touch({
    left: Math.round(Math.min(a.x, b.x)),
    top: Math.round(Math.min(a.y, b.y)),
    right: Math.round(Math.max(a.x, b.x)),
    bottom: Math.round(Math.max(a.y, b.y)),
  });
  for (let y = box.top; y < box.bottom; y++) cells.span(y, box.left, box.right, ink.set, ink.clear);
}

/** The inside of a closed line, by the even-odd rule. @param {Cells} cells @param {Point[]} points @param {Ink} ink */
export function polygon(cells, points, ink) {
  if (points.length < 3) return;
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const box = cells.touch({
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs),
    bottom: Math.max(...ys),
  });
  for (let y = box.top; y < box.bottom; y++) {
    const cuts = crossings(points, y + 0.5);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      cells.span(y, Math.ceil(cuts[i] - 0.5), Math.floor(cuts[i + 1] - 0.5) + 1, ink.set, ink.clear);
    }
  }
}

/** Where the closed line crosses the height y, from left to right. */
function crossings(points, y) {
  const cuts = [];
  for (let i = 0; i < points.length; i++) {
    const p = points[i];
    const q = points[(i + 1) % points.length];
    if (p.y <= y !== q.y <= y) cuts.push(p.x + ((y - p.y) / (q.y - p.y)) * (q.x - p.x));
  }
  return cuts.sort((a, b) => a - b);
}
