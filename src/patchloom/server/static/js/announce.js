/** What is told to people: a status line that is read out now and then, and errors that take the focus. */

const EVERY_MS = 10_000;

export class Announcer {
  constructor() {
    this.status = document.getElementById("status");
    this.spoken = document.getElementById("spoken");
    this.alert = document.getElementById("alert");
    this.lastSpoken = 0;
    document.getElementById("alert-close").addEventListener("click", () => this.dismiss());
  }

  /** Shows a line; says it too, unless something was said less than ten seconds ago and it is not `important`. */
  say(text, important = false) {
    this.status.textContent = text;
    const now = performance.now();
    if (!important && now - this.lastSpoken < EVERY_MS) return;
    this.lastSpoken = now;
    this.spoken.textContent = text;
  }

  /** @param {Error & {hint?: string}} error */
  fail(error) {
    document.getElementById("alert-message").textContent = error.message;
    document.getElementById("alert-hint").textContent = error.hint || "";
    this.returnTo = document.activeElement;
    this.alert.hidden = false;
    this.alert.focus();
  }

  dismiss() {
    if (this.alert.hidden) return;
    this.alert.hidden = true;
    if (this.returnTo instanceof HTMLElement) this.returnTo.focus();
  }

  /** The page's title shows how far a fill is. @param {number | null} fraction */
  title(fraction) {
    document.title = fraction === null ? "patchloom" : `${Math.round(fraction * 100)} % · patchloom`;
  }
}
