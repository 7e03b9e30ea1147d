/** What may have been left out of a mark: what adjoins it and is of the object, and no more than that. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { addition, distances, question } from "../../../src/patchloom/server/static/js/outlines.js";

const [WIDTH, HEIGHT] = [80, 60];
const where = (inside) => Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (inside(i % WIDTH, Math.floor(i / WIDTH)) ? 1 : 0));
const answer = (mask) => mask.map((value) => value * 255);
const disc = (x, y) => Math.hypot(x - 30, y - 30) < 16;
const marks = where((x, y) => disc(x, y) && x < 38);

test("distances are those of the city's blocks", () => {
  const away = distances(marks, WIDTH, HEIGHT, 1);
  const all = [];
  for (let i = 0; i < marks.length; i++) if (marks[i]) all.push([i % WIDTH, Math.floor(i / WIDTH)]);
  for (let i = 0; i < marks.length; i += 37) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    assert.equal(away[i], Math.min(...all.map(([c, r]) => Math.abs(x - c) + Math.abs(y - r))));
  }
});

test("what lies deep in the marks is the object, what is far from them is not, the rest is open", () => {
  const levels = question(marks, WIDTH, HEIGHT, 1);
  assert.equal(levels[30 * WIDTH + 25], 255);
  assert.equal(levels[2 * WIDTH + 78], 128);
  assert.equal(levels[30 * WIDTH + 40], 0, "beside the marks");
  assert.equal(levels[30 * WIDTH + 15], 0, "at their rim");
});

/** A red disc on green; RGBA. */
const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
where(disc).forEach((red, i) => pixels.set(red ? [200, 40, 30, 255] : [60, 140, 50, 255], 4 * i));
const asked = question(marks, WIDTH, HEIGHT, 1);
const added = (inside) => addition(answer(where(inside)), asked, marks, pixels, WIDTH, HEIGHT, 1);

test("the part of the object that was left is proposed", () => {
  const found = added(disc);
  const left = where((x, y) => disc(x, y) && x >= 39);
  assert.ok(found.every((value, i) => value <= left[i]));
  const share = found.reduce((sum, value) => sum + value, 0) / left.reduce((sum, value) => sum + value, 0);
  assert.ok(share > 0.9, String(share));
});

test("nothing is proposed that is tiny, larger than the marks bear, or somewhere else", () => {
  const nothing = (inside) => assert.equal(added(inside), null);
  nothing((x, y) => disc(x, y) && x < 38);
  nothing((x, y) => disc(x, y) && x < 39); // which the marks grow over by themselves
  nothing(() => true);
  nothing((x, y) => (disc(x, y) && x < 38) || Math.hypot(x - 68, y - 30) < 7);
  nothing((x, y) => y > 40 && y < 58 && x > 15 && x < 38); // the ground beside it
});
