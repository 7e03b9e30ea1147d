/** What is told to people: short notes that pass, errors that stay until the next thing works, and a spoken line. */

import { has, percent, t } from "./texts.js";

const NOTE_MS = 4500;
const SPOKEN_EVERY_MS = 10_000;

export class Announcer {
  constructor() {
    this.spoken = document.getElementById("spoken");
    this.toast = document.getElementById("note");
    this.alert = document.getElementById("alert");
    this.lastSpoken = -Infinity;
    document.getElementById("alert-close").addEventListener("click", () => this.clear());
  }

  /** Says a line, unless something was said less than ten seconds ago and it is not `important`. */
  say(text, important = false) {
    const now = performance.now();
    if (!important && now - this.lastSpoken < SPOKEN_EVERY_MS) return;
    this.lastSpoken = now;
    this.spoken.textContent = text;
  }

  /** Shows a line for a few seconds, with something to do about it if wanted, and says it. */
  note(text, action = null) {
    this.clear();
    const button = document.getElementById("note-action");
    document.getElementById("note-text").textContent = text;
    button.hidden = !action;
    button.textContent = action?.text ?? "";
    button.onclick = () => {
      this.hide();
      action.act();
    };
    this.toast.hidden = false;
    this.say(text, true);
    clearTimeout(this.timer);
    if (!action?.stays) this.timer = setTimeout(() => this.hide(), action ? 2 * NOTE_MS : NOTE_MS);
  }

  hide() {
    clearTimeout(this.timer);
    this.toast.hidden = true;
  }

  /** @param {Error & {hint?: string, code?: string}} error */
  fail(error) {
    this.hide();
    const known = error.code && has(`error.${error.code}`);
    document.getElementById("alert-message").textContent = known ? t(`error.${error.code}`) : error.message;
    document.getElementById("alert-hint").textContent = known ? t(`error.${error.code}.hint`) : (error.hint ?? "");
    this.alert.hidden = false;
  }

  /** The next thing has worked: the error is over. */
  clear() {
    this.alert.hidden = true;
  }

  /** The page's title shows how far a fill is. @param {number | null} fraction */
  title(fraction) {
    document.title = fraction === null ? "patchloom" : `${percent(Math.round(fraction * 100) / 100)} · patchloom`;
  }
}
