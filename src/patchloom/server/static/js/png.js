/** Writes a mask as a one-bit grey PNG at the photo's size, without a canvas and its limits. */

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/**
 * White where `data` has any of `bits`.
 * @param {Uint8Array} data @param {number} width @param {number} height @param {(value: number) => boolean} white
 * @returns {Promise<Blob>}
 */
export async function encodeMask(data, width, height, white) {
  const table = Uint8Array.from({ length: 256 }, (_, value) => (white(value) ? 1 : 0));
  const stride = Math.ceil(width / 8) + 1; // each row starts with its filter: none
  const rows = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const source = y * width;
    const target = y * stride + 1;
    for (let x = 0; x < width; x++) if (table[data[source + x]]) rows[target + (x >> 3)] |= 0x80 >> (x & 7);
  }
  const header = new Uint8Array(13);
  const fields = new DataView(header.buffer);
  fields.setUint32(0, width);
  fields.setUint32(4, height);
  header.set([1, 0, 0, 0, 0], 8); // one bit, grey
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const parts = [signature, chunk("IHDR", header), chunk("IDAT", await zlib(rows)), chunk("IEND", new Uint8Array(0))];
  return new Blob(parts, { type: "image/png" });
}

function chunk(kind, body) {
  const bytes = new Uint8Array(body.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = kind.charCodeAt(i);
  bytes.set(body, 8);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(4, bytes.length - 4)));
  return bytes;
}

export function crc32(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC[(c ^ byte) & 0xff] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Compressed where the browser can, else stored as it is. */
async function zlib(bytes) {
  if (typeof CompressionStream === "undefined") return stored(bytes);
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function stored(bytes) {
  const most = 65535;
  const blocks = Math.max(1, Math.ceil(bytes.length / most));
  const out = new Uint8Array(bytes.length + blocks * 5 + 6);
  out.set([0x78, 0x01]);
  let at = 2;
  for (let i = 0; i < blocks; i++) {
    const part = bytes.subarray(i * most, (i + 1) * most);
    const last = i === blocks - 1 ? 1 : 0;
    out.set([last, part.length & 255, part.length >> 8, ~part.length & 255, (~part.length >> 8) & 255], at);
    out.set(part, at + 5);
    at += part.length + 5;
  }
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  new DataView(out.buffer).setUint32(at, ((b << 16) | a) >>> 0);
  return out;
}
