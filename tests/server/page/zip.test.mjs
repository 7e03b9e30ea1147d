/** ZIP archives: names and contents are where the format says they are. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { different, zipped } from "../../../src/patchloom/server/static/js/zip.js";

const READ = "import sys, zipfile, json; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; " +
  "print(json.dumps({i.filename: z.read(i).hex() for i in z.infolist()}))";

test("another program reads what was put in", async () => {
  const files = [["lantern-edited.jpg", [1, 2, 3]], ["größe.png", Array.from({ length: 70_000 }, (_, i) => i & 255)], ["empty", []]];
  const archive = await zipped(files.map(([name, bytes]) => ({ name, blob: new Blob([Uint8Array.from(bytes)]) })));
  const folder = mkdtempSync(join(tmpdir(), "zip-"));
  try {
    writeFileSync(join(folder, "all.zip"), Buffer.from(await archive.arrayBuffer()));
    const read = JSON.parse(execFileSync("python3", ["-c", READ, join(folder, "all.zip")]).toString());
    assert.deepEqual(read, Object.fromEntries(files.map(([name, bytes]) => [name, Buffer.from(bytes).toString("hex")])));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("no name comes twice", () => {
  assert.deepEqual(different(["a.jpg", "b.jpg", "a.jpg", "a.jpg", "a-2.jpg", "c", "c"]), ["a.jpg", "b.jpg", "a-2.jpg", "a-3.jpg", "a-2-2.jpg", "c", "c-2"]);
});
