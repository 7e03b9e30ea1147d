/** Marks: shapes, what grows, what can be undone, against their definitions. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cells, DONE, HOLE, TAKE } from "../../../src/patchloom/server/static/js/cells.js";
import { grown } from "../../../src/patchloom/server/static/js/grown.js";
import { History } from "../../../src/patchloom/server/static/js/history.js";
import { capsule, polygon, rectangle } from "../../../src/patchloom/server/static/js/shapes.js";

const ink = { set: HOLE, clear: 0 };

/** What `draw` marks on 64 by 64 cells; counts and undo are checked on the way. */
function drawn(draw) {
  const cells = new Cells(64, 64);
  cells.begin();
  draw(cells);
  const change = cells.end();
  const seen = cells.data.slice();
  assert.equal(cells.count(HOLE), seen.reduce((sum, value) => sum + value, 0));
  cells.swap(change);
  assert.ok(!cells.any(HOLE) && cells.data.every((value) => value === 0));
  cells.swap(change);
  assert.deepEqual(cells.data, seen);
  return seen;
}

/** Cells whose centres `inside` says are. */
function told(inside) {
  return Uint8Array.from({ length: 64 * 64 }, (_, i) => (inside((i % 64) + 0.5, Math.floor(i / 64) + 0.5) ? 1 : 0));
}

test("a stroke is all within its radius of the line", () => {
  const [a, b] = [{ x: 12.3, y: 20.8 }, { x: 50.1, y: 41.4 }];
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const near = (x, y) => {
    const along = Math.min(1, Math.max(0, ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy)));
    return Math.hypot(x - a.x - along * dx, y - a.y - along * dy) <= 7.3;
  };
  assert.deepEqual(drawn((cells) => capsule(cells, a, b, 7.3, ink)), told(near));
});

test("a dab at the photo's corner is cut by it", () => {
  const at = { x: 0.5, y: 63.5 };
  const near = (x, y) => Math.hypot(x - at.x, y - at.y) <= 9;
  assert.deepEqual(drawn((cells) => capsule(cells, at, at, 9, ink)), told(near));
});

test("a lasso marks its inside, a box all between its corners", () => {
  const corners = [{ x: 5.2, y: 5.1 }, { x: 60.4, y: 20.7 }, { x: 20.9, y: 58.3 }];
  const left = (x, y) =>
    corners.every((p, i) => {
      const q = corners[(i + 1) % 3];
      return (q.x - p.x) * (y - p.y) - (q.y - p.y) * (x - p.x) > 0;
    });
  assert.deepEqual(drawn((cells) => polygon(cells, corners, ink)), told(left));
  const box = (x, y) => x > 10 && x < 31 && y > 5 && y < 9;
  assert.deepEqual(drawn((cells) => rectangle(cells, { x: 31, y: 5 }, { x: 10, y: 9 }, ink)), told(box));
});

test("marks grow and shrink by a disc", () => {
  const dots = [[20, 30], [21, 30], [22, 30], [40, 40]];
  const data = new Uint8Array(64 * 64);
  for (const [x, y] of dots) data[y * 64 + x] = HOLE;
  const distance = (x, y, all) => Math.min(...all.map(([c, r]) => Math.hypot(x - 0.5 - c, y - 0.5 - r)));
  const bigger = grown(data, 64, 64, HOLE, 5);
  assert.deepEqual(bigger, told((x, y) => distance(x, y, dots) <= 5));
  const outside = [];
  for (let i = 0; i < bigger.length; i++) if (!bigger[i]) outside.push([i % 64, Math.floor(i / 64)]);
  assert.deepEqual(grown(bigger, 64, 64, HOLE, -3), told((x, y) => distance(x, y, outside) > 3));
});

test("areas and bounds are those of the marks, whatever other bits there are", () => {
  const cells = new Cells(300, 200);
  cells.begin();
  rectangle(cells, { x: 0, y: 0 }, { x: 300, y: 8 }, { set: TAKE, clear: 0 });
  for (const x of [40, 160]) rectangle(cells, { x, y: 48 }, { x: x + 64, y: 112 }, ink);
  cells.end();
  assert.equal(cells.areas(HOLE), 2);
  assert.deepEqual(cells.bounds(HOLE), { left: 40, top: 48, right: 224, bottom: 112 });
});

test("undo and redo take the same way back and forth; what is new ends what was undone", () => {
  const seen = [];
  const history = new History((step, forward) => seen.push([step.id, forward]));
  for (let step = 0; step < 3; step++) history.push({ change: null, before: "", after: "", gone: "" });
  for (const go of ["undo", "undo", "redo"]) history[go]();
  assert.deepEqual(seen, [[3, false], [2, false], [2, true]]);
  history.push({});
  assert.equal(history.redo(), null);
});

test("a fill that comes to nothing leaves the marks as if it had never been", () => {
  const box = (x, y) => [{ x, y }, { x: x + 70, y: y + 50 }];
  const strokes = [[...box(20, 20), ink], [...box(60, 40), ink], [...box(180, 90), ink], [...box(200, 100), { set: 0, clear: HOLE }]];
  const played = (fills) => {
    const cells = new Cells(300, 200);
    const history = new History((step) => cells.swap(step.change));
    const step = (draw, more = {}) => {
      cells.begin();
      draw();
      return history.push({ change: cells.end(), before: "", after: "", ...more });
    };
    for (const [at, stroke] of strokes.entries()) {
      if (fills && at === 1) {
        const taken = step(() => rectangle(cells, { x: 15, y: 15 }, { x: 95, y: 75 }, { set: DONE, clear: HOLE }), { fill: "a" });
        assert.equal(history.undo(), null, "what a fill was given stays with it");
        assert.equal(history.given("a"), taken);
      }
      step(() => rectangle(cells, ...stroke));
    }
    if (fills) history.withdraw(history.given("a"), cells);
    return { cells, history };
  };
  const [withFill, without] = [played(true), played(false)];
  assert.deepEqual(withFill.cells.data, without.cells.data);
  assert.deepEqual(withFill.cells.totals, without.cells.totals);
  withFill.history.undo();
  for (let step = 1; step < strokes.length; step++) without.history.undo();
  assert.deepEqual(withFill.cells.data, without.cells.data, "what was marked since is one step");
  withFill.history.redo();
  assert.equal(withFill.cells.areas(HOLE), 2);
});

test("a fill's picture is on show from its own step on", () => {
  const shown = [];
  const history = new History((step, forward) => shown.push(forward ? step.after : step.before));
  const step = (fill = "") => history.push({ change: new Map(), before: "old", after: "old", fill });
  for (const fill of ["", "new", "", ""]) step(fill);
  history.undo();
  history.filled(history.given("new"), "new");
  for (const go of ["redo", "undo", "undo", "undo", "undo"]) history[go]();
  assert.deepEqual(shown.slice(1), ["new", "new", "new", "old", "old"]);
});
