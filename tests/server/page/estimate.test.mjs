/** How long a fill takes: what was expected gives way to what is told. */

import assert from "node:assert/strict";
import { test } from "node:test";

const kept = new Map();
globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
const { Pace, expected, learn } = await import("../../../src/patchloom/server/static/js/estimate.js");

test("this machine's fills scale what is typical", () => {
  const typical = expected("balanced", 1);
  learn("balanced", 2, expected("balanced", 2) * 3);
  assert.ok(Math.abs(expected("balanced", 1) / typical - 3) < 1e-9);
});

test("fills of about the same size count most", () => {
  kept.clear();
  for (let time = 0; time < 3; time++) {
    learn("fast", 0.05, expected("fast", 0.05));
    learn("fast", 4, 400);
  }
  assert.ok(Math.abs(expected("fast", 4) - 400) < 1);
});

/** What is shown during a fill, told by pairs of seconds and fractions. */
function shown(seconds, told) {
  let now = 1000;
  performance.now = () => now;
  const pace = new Pace(seconds);
  const seen = [];
  for (const [after, fraction] of told) {
    for (; now < 1000 + after * 1000; now += 200) seen.push(pace.now());
    pace.tell(fraction);
  }
  return seen;
}

test("the bar never goes back, the time left never rises, whatever the server tells", () => {
  for (const expectation of [2, 12, 200]) {
    for (const told of [[[5, 0.1], [20, 0.4], [40, 0.8], [60, 1], [90, 1]], [[1, 0.5], [30, 0.55], [60, 0.6], [90, 0.99]], [[60, 0.01]]]) {
      const seen = shown(expectation, told);
      seen.slice(1).forEach((each, index) => {
        assert.ok(each.fraction >= seen[index].fraction && each.left <= seen[index].left);
        assert.ok(each.fraction < 0.99);
      });
    }
  }
});

test("what is told counts more and more", () => {
  const seen = shown(60, [[5, 0.25], [10, 0.5], [12, 0.6]]);
  assert.ok(Math.abs(seen.at(-1).left - 8) < 1, String(seen.at(-1).left));
});

test("where the time left stands, that is said", () => {
  assert.ok(shown(10, [[5, 0.45], [30, 0.5]]).at(-1).late);
  assert.ok(shown(10, [[2, 0.2], [4, 0.4], [6, 0.6], [8, 0.8]]).every((each) => !each.late));
});
