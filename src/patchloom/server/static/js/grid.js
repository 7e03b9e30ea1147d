/** A photo's marks in tiles, so that a change is told by the tiles that it touches. Used by the page and its worker. */

export const TILE = 128;

/** @typedef {{left: number, top: number, right: number, bottom: number}} Box half open, in photo pixels */
/** @typedef {Map<number, Uint8Array | number>} Change tile number -> its other content (a number: all equal) */
/** @typedef {{width: number, height: number, tiles: Change}} Plain marks as they are sent; what has no tile is 0 */

export class Grid {
  /** @param {number} width of the photo @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.tilesAcross = Math.ceil(width / TILE);
    this.tiles = this.tilesAcross * Math.ceil(height / TILE);
  }

  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  /** @param {Box} box @returns {Box} cut to the photo */
  clip(box) {
    return {
      left: Math.max(0, Math.floor(box.left)),
      top: Math.max(0, Math.floor(box.top)),
      right: Math.min(this.width, Math.ceil(box.right)),
      bottom: Math.min(this.height, Math.ceil(box.bottom)),
    };
  }

  /** @returns {Box} */
  tileBox(tile) {
    const left = (tile % this.tilesAcross) * TILE;
    const top = Math.floor(tile / this.tilesAcross) * TILE;
    return this.clip({ left, top, right: left + TILE, bottom: top + TILE });
  }

  /** What `data` (one byte a cell of the photo) has in a box. @param {Uint8Array} data @param {Box} box */
  cut(data, { left, top, right, bottom }) {
    const across = right - left;
    const content = new Uint8Array(across * (bottom - top));
    for (let y = top; y < bottom; y++) {
      const row = y * this.width;
      content.set(data.subarray(row + left, row + right), (y - top) * across);
    }
    return content;
  }

  /** Puts into a box of `data` what cut() took out of one, or a number. */
  put(data, { left, top, right, bottom }, content) {
    const across = right - left;
    for (let y = top; y < bottom; y++) {
      const row = y * this.width;
      if (typeof content === "number") data.fill(content, row + left, row + right);
      else data.set(content.subarray((y - top) * across, (y - top + 1) * across), row + left);
    }
  }

  /** Boxes with what belongs into them; neighbours that are all of one value come as one. @param {Change} contents */
  *joined(contents) {
    let last = null;
    for (const [tile, content] of contents) {
      const box = this.tileBox(tile);
      if (last && last[1] === content && last[0].top === box.top && last[0].right === box.left) {
        last[0].right = box.right;
        continue;
      }
      if (last) yield last;
      last = [box, content];
    }
    if (last) yield last;
  }

  /** What turns `before` into `after`. @param {Uint8Array} before @param {Uint8Array} after @returns {Change} */
  differences(before, after) {
    const change = new Map();
    for (let tile = 0; tile < this.tiles; tile++) {
      const box = this.tileBox(tile);
      if (this.differ(before, after, box)) change.set(tile, packed(this.cut(after, box)));
    }
    return change;
  }

  differ(before, after, { left, top, right, bottom }) {
    for (let y = top; y < bottom; y++) {
      for (let i = y * this.width + left; i < y * this.width + right; i++) if (before[i] !== after[i]) return true;
    }
    return false;
  }
}

/** @param {Plain} marks @returns {Uint8Array} one byte a cell */
export function spreadOut({ width, height, tiles }) {
  const grid = new Grid(width, height);
  const data = new Uint8Array(width * height);
  for (const [box, content] of grid.joined(tiles)) grid.put(data, box, content);
  return data;
}

/** A tile's cells one by one. @param {Uint8Array | number} content @param {Box} box @returns {Uint8Array} */
export function unpacked(content, { left, top, right, bottom }) {
  return typeof content === "number" ? new Uint8Array((right - left) * (bottom - top)).fill(content) : content;
}

/** A tile whose cells are all equal as that number. @param {Uint8Array | number} content */
export function packed(content) {
  if (typeof content === "number") return content;
  const first = content[0];
  for (let i = 1; i < content.length; i++) if (content[i] !== first) return content;
  return first;
}
