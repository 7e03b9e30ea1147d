/** Quality as a choice of three, and a form of all settings made from the server's description of them. */

import { duration, has, t } from "./texts.js";

const QUALITIES = ["fast", "balanced", "best"];
const USUAL = "balanced";
const HIDDEN = ["preset", "grow"]; // what the page itself decides
const FOLLOWED = ["lama", "migan"]; // content networks that can be fetched
const KEPT = "patchloom-quality";

export class SettingsForm extends EventTarget {
  /** @param {object} config what api/config says */
  constructor(config) {
    super();
    this.config = config;
    this.qualities = document.getElementById("presets");
    this.method = document.getElementById("preset-more");
    /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
    this.fields = new Map();
    for (const name of QUALITIES) if (this.preset(name)) this.qualities.append(this.quality(name));
    this.showMethods();
    for (const [name, property] of Object.entries(config.settings.properties)) {
      if (HIDDEN.includes(name)) continue;
      document.getElementById(property.section === "Options" ? "common-settings" : "more-settings").append(this.row(name, property));
    }
    this.choose(localStorage.getItem(KEPT) ?? USUAL);
  }

  preset(name) {
    return this.config.presets.find((each) => each.name === name);
  }

  quality(name) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "preset", value: name });
    input.addEventListener("change", () => {
      localStorage.setItem(KEPT, name);
      this.choose(name);
    });
    const title = document.createElement("span");
    title.textContent = t(`quality.${name}`);
    const time = document.createElement("small");
    time.dataset.time = name;
    label.append(input, title, time);
    return label;
  }

  /** Other presets, where their networks are installed. */
  showMethods() {
    const installed = this.config.settings.properties.texture.examples ?? [];
    const others = this.config.presets.filter(({ name, settings }) => {
      const { texture } = settings;
      return !QUALITIES.includes(name) && ["auto", "none", ...installed].includes(texture);
    });
    this.method.append(new Option(t("method.own"), ""));
    for (const { name } of others) this.method.append(new Option(has(`quality.${name}`) ? t(`quality.${name}`) : name, name));
    const there = this.config.settings.properties.content.examples ?? [];
    for (const name of FOLLOWED) {
      const option = new Option(t(there.includes(name) ? `quality.${name}` : `quality.${name}.get`), name);
      option.disabled = !there.includes(name);
      this.method.append(option);
    }
    this.method.addEventListener("change", () => this.choose(this.method.value || USUAL));
  }

  /** The method that the settings amount to. */
  showMethod() {
    const content = this.fields.get("content")?.value;
    this.method.value = FOLLOWED.includes(content) ? content : QUALITIES.includes(this.chosen) ? "" : this.chosen;
  }

  /** Says how long each quality should take. @param {(name: string) => number} seconds 0: nothing is said */
  showTimes(seconds) {
    for (const place of this.qualities.querySelectorAll("[data-time]")) {
      const time = seconds(place.dataset.time);
      place.textContent = time ? t("quality.about", { time: duration(time, "narrow") }) : "";
    }
  }

  /** Fills the form with a preset's settings, or with the usual ones and a network that is followed; the seed stays. */
  choose(name) {
    const preset = this.preset(name) ?? this.preset(USUAL) ?? this.config.presets[0];
    this.chosen = preset.name;
    for (const input of this.qualities.querySelectorAll("input")) input.checked = input.value === preset.name;
    for (const [key, field] of this.fields) if (key !== "seed") write(field, preset.settings[key]);
    if (FOLLOWED.includes(name)) write(this.fields.get("content"), name);
    this.showMethod();
    this.dispatchEvent(new Event("change"));
  }

  row(name, property) {
    const row = document.createElement("div");
    row.className = "setting";
    const label = document.createElement("label");
    label.htmlFor = `setting-${name}`;
    label.textContent = name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
    const help = document.createElement("p");
    help.id = `help-${name}`;
    help.textContent = has(`setting.${name}`) ? t(`setting.${name}`) : property.description;
    const field = input(property.examples ? { ...property, enum: property.examples } : property);
    field.id = label.htmlFor;
    field.setAttribute("aria-describedby", help.id);
    field.addEventListener("change", () => this.dispatchEvent(new Event("change")));
    this.fields.set(name, field);
    row.append(label, field, help);
    return row;
  }

  /** What differs from the preset, with the preset and the seed: what a job is sent, and what is kept. */
  values() {
    const preset = this.preset(this.chosen);
    const chosen = { preset: this.chosen };
    for (const [name, field] of this.fields) {
      const value = read(field);
      if (name === "seed" || value !== preset.settings[name]) chosen[name] = value;
    }
    return chosen;
  }

  /** Puts back what values() gave. */
  restore(values) {
    this.choose(values.preset);
    for (const [name, value] of Object.entries(values)) if (this.fields.has(name)) write(this.fields.get(name), value);
    this.showMethod();
  }
}

function input(property) {
  if (property.enum) {
    const select = document.createElement("select");
    for (const choice of property.enum) select.add(new Option(choice, choice));
    select.value = property.default;
    return select;
  }
  const field = document.createElement("input");
  field.type = { boolean: "checkbox", integer: "number", number: "number" }[property.type] ?? "text";
  if (field.type === "number") {
    field.step = property.type === "integer" ? "1" : "any";
    if (property.minimum !== undefined) field.min = property.minimum;
    if (property.maximum !== undefined) field.max = property.maximum;
    field.inputMode = property.type === "integer" ? "numeric" : "decimal";
  }
  write(field, property.default);
  return field;
}

function write(field, value) {
  if (field.type === "checkbox") field.checked = value;
  else field.value = value;
}

function read(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "number") return field.value === "" ? 0 : Number(field.value);
  return field.value;
}
