/** What the page says, in the person's language: one JSON file a language in texts/, numbers and plurals by Intl. */

const LANGUAGES = ["en", "de", "fr", "es", "ja", "zh"];
const KEPT = "patchloom-language";

let language = "en";
let texts = {};
let fallback = {};

/** Loads the language that was chosen, else the first of the browser's that there is. */
export async function loadTexts() {
  const wanted = [localStorage.getItem(KEPT), ...navigator.languages].filter(Boolean);
  language = wanted.map((each) => each.slice(0, 2).toLowerCase()).find((each) => LANGUAGES.includes(each)) ?? "en";
  const load = async (name) => (await fetch(new URL(`../texts/${name}.json`, import.meta.url))).json();
  [fallback, texts] = await Promise.all([load("en"), load(language)]);
  document.documentElement.lang = language;
  translate(document);
}

export function currentLanguage() {
  return language;
}

/** Chooses a language for the next time the page is loaded; what is open comes back. */
export function chooseLanguage(name) {
  localStorage.setItem(KEPT, name);
  location.reload();
}

/** Every language's own name. */
export function languages() {
  return LANGUAGES.map((name) => [name, new Intl.DisplayNames([name], { type: "language" }).of(name)]);
}

/**
 * A text with its values in place. A text of several forms is chosen by `values.n`.
 * @param {string} key @param {Record<string, any>} values
 */
export function t(key, values = {}) {
  const text = texts[key] ?? fallback[key];
  if (text === undefined) return key;
  const form = typeof text === "string" ? text : (text[new Intl.PluralRules(language).select(values.n)] ?? text.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

/** Whether there is such a text. */
export function has(key) {
  return key in fallback;
}

function shown(value) {
  return typeof value === "number" ? number(value) : String(value);
}

export function number(value, options = {}) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 0, ...options }).format(value);
}

/** A share of 1 as a percentage with enough digits to be more than 0. */
export function percent(share) {
  const digits = share > 0 && share < 0.001 ? 3 : share < 0.1 ? 1 : 0;
  return number(share, { style: "percent", maximumFractionDigits: digits });
}

/** About how long: seconds, or minutes from 90 seconds on. @param {"short" | "narrow"} unitDisplay */
export function duration(seconds, unitDisplay = "short") {
  const [value, unit] = seconds < 90 ? [Math.max(1, Math.round(seconds)), "second"] : [Math.round(seconds / 60), "minute"];
  return number(value, { style: "unit", unit, unitDisplay });
}

/** Puts texts where attributes ask for them: data-t the content, data-t-NAME the attribute NAME. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const name of ["title", "aria-label", "placeholder"]) {
    const given = `data-t-${name}`;
    for (const element of root.querySelectorAll(`[${given}]`)) element.setAttribute(name, t(element.getAttribute(given)));
  }
}
