/** Small things are found where they stand out, on plain ground, and nowhere else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { specks } from "../../../src/patchloom/server/static/js/specks.js";

const [WIDTH, HEIGHT] = [300, 200];

/** A sky with grain, darker downwards, on which `draw` says what is drawn. */
function picture(draw, grain = 4) {
  let state = 7;
  const random = () => ((state = (state * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff - 0.5) * 2;
  const pixels = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    const level = draw(x, y) ?? 180 - y / 4;
    pixels.set([level + grain * random(), level + 10 + grain * random(), 220 - y / 5 + grain * random(), 255], 4 * i);
  }
  return pixels;
}

const birds = [[60, 40], [200, 120], [250, 50]];
const isBird = (x, y) => birds.some(([c, r]) => Math.hypot(x - c, y - r) < 2.6);

test("three birds in the sky are three things, each marked whole", () => {
  const masks = specks(picture((x, y) => (isBird(x, y) ? 40 : null)), WIDTH, HEIGHT);
  assert.equal(masks.length, 3);
  for (const [x, y] of birds) {
    const own = masks.find((mask) => mask[y * WIDTH + x]);
    own.forEach((value, i) => {
      const away = Math.hypot((i % WIDTH) - x, Math.floor(i / WIDTH) - y);
      assert.ok(value ? away < 8 : away >= 2.6);
    });
  }
});

test("an empty sky, a large thing, an edge and gravel have none", () => {
  const none = (draw, grain) => assert.equal(specks(picture(draw, grain), WIDTH, HEIGHT).length, 0);
  none(() => null);
  none(() => null, 40);
  none((x, y) => (Math.hypot(x - 150, y - 100) < 30 ? 40 : null));
  none((x, y) => (y > 120 ? 60 : null));
  none((x, y) => ((x * 7 + y * 13) % 29 < 3 && (x * 3 + y) % 11 < 4 ? 40 : null));
});
