/** How long a fill will take here, learned from this machine's last fills, and how far one is. */

const KEPT = "patchloom-pace";
const MOST = 20;
/** Seconds on two processor cores: at least, and for each megapixel that is filled. Only the first fill relies on it. */
const TYPICAL = { fast: [2, 45], balanced: [4, 110], best: [6, 200], paper: [60, 1500] };
const UNKNOWN = [4, 110];
const TRUST = 3; // a third done: what the server tells counts alone
const NEARLY = 0.985; // shown until the result is here
const CAUTION = 0.7; // of the last fills that should not have taken longer than what is expected
const LITTLE = 0.02; // megapixels: below, sizes do not matter
const LATE_MS = 3000; // for which the time left stands before that is said

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

/**
 * Seconds that a fill of so many megapixels should take: as typical, by how this machine's last fills compared, those of
 * the same quality and of about the same size first. Rather too long than too short.
 */
export function expected(preset, megapixels) {
  const fills = past();
  const same = fills.filter((each) => each.preset === preset);
  const ratios = (same.length ? same : fills).map((each) => ({
    ratio: each.seconds / typical(each.preset, each.megapixels),
    weight: 1 / (0.2 + Math.abs(Math.log((each.megapixels + LITTLE) / (megapixels + LITTLE)))),
  }));
  return typical(preset, megapixels) * (ratios.length ? quantile(ratios, CAUTION) : 1);
}

/** The ratio that is not exceeded by a share of all weights. */
function quantile(ratios, share) {
  const sorted = [...ratios].sort((a, b) => a.ratio - b.ratio);
  let left = share * sorted.reduce((sum, { weight }) => sum + weight, 0);
  return (sorted.find(({ weight }) => (left -= weight) <= 0) ?? sorted.at(-1)).ratio;
}

/**
 * One fill's progress: what was expected gives way to what the server tells. The bar never goes back and is never
 * full; the time left never rises: where it would, it stands, and `late` says so.
 */
export class Pace {
  /** @param {number} seconds expected */
  constructor(seconds) {
    this.seconds = seconds;
    this.began = performance.now();
    this.told = { fraction: 0, at: this.began };
    this.shown = 0;
    this.least = Infinity;
    this.fell = this.began; // when the time left was last less than before
  }

  /** The server says how much is done. */
  tell(fraction) {
    this.told = { fraction, at: performance.now() };
  }

  /** @returns {{fraction: number, left: number, late: boolean}} */
  now() {
    const now = performance.now();
    const elapsed = (now - this.began) / 1000;
    const { fraction, at } = this.told;
    const spent = (at - this.began) / 1000;
    const byServer = fraction > 0.02 ? spent / fraction : this.seconds;
    const trust = Math.min(1, TRUST * fraction);
    const whole = Math.max(trust * byServer + (1 - trust) * this.seconds, elapsed * 1.02);
    const left = Math.max(0, whole - elapsed);
    this.shown = Math.min(NEARLY, Math.max(this.shown, elapsed / (elapsed + left || 1)));
    if (left < this.least) {
      this.least = left;
      this.fell = now;
    }
    return { fraction: this.shown, left: this.least, late: now - this.fell > LATE_MS };
  }
}
