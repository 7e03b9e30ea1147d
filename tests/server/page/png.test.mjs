/** Masks as PNG files: with and without the browser's compressor the same bits, read by hand. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { encodeMask } from "../../../src/patchloom/server/static/js/png.js";

const [WIDTH, HEIGHT] = [301, 250];
const cells = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((i * 7919) % 13 < 4 ? 1 : 0));

/** The bits of a one-bit grey PNG without filters. */
function bits(file) {
  const bytes = Buffer.from(file);
  const parts = {};
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    parts[bytes.toString("latin1", at + 4, at + 8)] = bytes.subarray(at + 8, at + 8 + length);
    at += length + 12;
  }
  assert.deepEqual([parts.IHDR.readUInt32BE(0), parts.IHDR.readUInt32BE(4), ...parts.IHDR.subarray(8)], [WIDTH, HEIGHT, 1, 0, 0, 0, 0]);
  const rows = inflateSync(parts.IDAT);
  const stride = Math.ceil(WIDTH / 8) + 1;
  return Uint8Array.from(cells, (_, i) => {
    const [x, y] = [i % WIDTH, Math.floor(i / WIDTH)];
    return (rows[y * stride + 1 + (x >> 3)] >> (7 - (x & 7))) & 1;
  });
}

for (const compressed of [true, false]) {
  test(compressed ? "with a compressor" : "without one", async () => {
    if (!compressed) delete globalThis.CompressionStream;
    const file = await encodeMask(cells, WIDTH, HEIGHT, (value) => value === 1);
    assert.deepEqual(bits(await file.arrayBuffer()), cells);
  });
}
