/** How long a fill will take here, learned from this machine's last fills, and how far one is. */

const KEPT = "patchloom-pace";
const MOST = 20;
/** Seconds on two processor cores: at least, and for each megapixel that is filled. Only the first fill relies on it. */
const TYPICAL = { fast: [2, 45], balanced: [4, 110], best: [6, 200], paper: [60, 1500] };
const UNKNOWN = [4, 110];
const TRUST = 3; // a third done: what the server tells counts alone
const NEARLY = 0.985; // shown until the result is here

/** @returns {{preset: string, megapixels: number, seconds: number}[]} */
function past() {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

function typical(preset, megapixels) {
  const [least, each] = TYPICAL[preset] ?? UNKNOWN;
  return least + each * megapixels;
}

/** Remembers how long a fill took. */
export function learn(preset, megapixels, seconds) {
  localStorage.setItem(KEPT, JSON.stringify([...past(), { preset, megapixels, seconds }].slice(-MOST)));
}

/** Whether this machine has filled anything before. */
export function learned() {
  return past().length > 0;
}

/** Seconds that a fill of so many megapixels should take: as typical, by how this machine's last fills compared. */
export function expected(preset, megapixels) {
  const fills = past();
  const same = fills.filter((each) => each.preset === preset);
  const ratios = (same.length ? same : fills).map((each) => each.seconds / typical(each.preset, each.megapixels));
  return typical(preset, megapixels) * (ratios.length ? median(ratios) : 1);
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** One fill's progress: what was expected gives way to what the server tells. Never goes back, never says "done". */
export class Pace {
  /** @param {number} seconds expected */
  constructor(seconds) {
    this.seconds = seconds;
    this.began = performance.now();
    this.told = { fraction: 0, at: this.began };
    this.shown = 0;
  }

  /** The server says how much is done. */
  tell(fraction) {
    this.told = { fraction, at: performance.now() };
  }

  /** @returns {{fraction: number, left: number}} */
  now() {
    const elapsed = (performance.now() - this.began) / 1000;
    const { fraction, at } = this.told;
    const spent = (at - this.began) / 1000;
    const byServer = fraction > 0.02 ? spent / fraction : this.seconds;
    const trust = Math.min(1, TRUST * fraction);
    const whole = Math.max(trust * byServer + (1 - trust) * this.seconds, elapsed * 1.02);
    const left = Math.max(0, whole - elapsed);
    this.shown = Math.min(NEARLY, Math.max(this.shown, elapsed / (elapsed + left || 1)));
    return { fraction: this.shown, left };
  }
}
