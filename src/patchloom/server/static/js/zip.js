/** Several files as one: a ZIP archive whose files are stored as they are, since pictures are compressed already. */

import { crc32 } from "./png.js";

const NAMES_ARE_UTF8 = 0x0800;
const FIRST_OF_1980 = 0x21;

/** @param {{name: string, blob: Blob}[]} files @returns {Promise<Blob>} */
export async function zipped(files) {
  const bodies = [];
  const entries = [];
  let offset = 0;
  for (const { name, blob } of files) {
    const named = new TextEncoder().encode(name);
    const sum = crc32(new Uint8Array(await blob.arrayBuffer()));
    const about = [20, NAMES_ARE_UTF8, 0, 0, FIRST_OF_1980, [sum], [blob.size], [blob.size], named.length, 0];
    const head = record(0x04034b50, about);
    bodies.push(head, named, blob);
    entries.push(record(0x02014b50, [20, ...about, 0, 0, 0, [0], [offset]]), named);
    offset += head.length + named.length + blob.size;
  }
  const size = entries.reduce((sum, part) => sum + part.length, 0);
  const end = record(0x06054b50, [0, 0, files.length, files.length, [size], [offset], 0]);
  return new Blob([...bodies, ...entries, end], { type: "application/zip" });
}

/** A signature and fields, little-endian: numbers of two bytes, and of four where they stand in a list. */
function record(signature, fields) {
  const out = [];
  const put = (value, bytes) => {
    for (let i = 0; i < bytes; i++) out.push((value >>> (8 * i)) & 255);
  };
  put(signature, 4);
  for (const field of fields) Array.isArray(field) ? put(field[0], 4) : put(field, 2);
  return Uint8Array.from(out);
}

/** Names of which none comes twice: a number is put before the ending. @param {string[]} names */
export function different(names) {
  const taken = new Set();
  return names.map((name) => {
    const [, stem, ending] = name.match(/^(.*?)(\.[^.]*)?$/);
    let found = name;
    for (let n = 2; taken.has(found); n++) found = `${stem}-${n}${ending ?? ""}`;
    taken.add(found);
    return found;
  });
}
