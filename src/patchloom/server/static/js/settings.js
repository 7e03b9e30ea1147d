/** Presets as radio buttons, and a form of all settings made from the server's description of them. */

const COMMON = ["seed", "grow", "feather"];
const HIDDEN = ["preset"];

export class SettingsForm {
  /** @param {object} config what api/config says */
  constructor(config) {
    this.config = config;
    this.presets = document.getElementById("presets");
    this.common = document.getElementById("common-settings");
    this.more = document.getElementById("more-settings");
    /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
    this.fields = new Map();
    for (const preset of config.presets) this.presets.append(this.presetButton(preset));
    for (const [name, property] of Object.entries(config.settings.properties)) {
      if (HIDDEN.includes(name)) continue;
      (COMMON.includes(name) ? this.common : this.more).append(this.row(name, property));
    }
    this.choose("balanced");
  }

  presetButton(preset) {
    const label = document.createElement("label");
    label.className = "preset";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "preset";
    input.value = preset.name;
    input.addEventListener("change", () => this.choose(preset.name));
    const name = document.createElement("strong");
    name.textContent = preset.name[0].toUpperCase() + preset.name.slice(1);
    const help = document.createElement("span");
    help.textContent = preset.help;
    label.append(input, name, help);
    return label;
  }

  /** Fills the form with a preset's settings; the seed stays. */
  choose(name) {
    const preset = this.config.presets.find((each) => each.name === name) ?? this.config.presets[0];
    this.preset = preset.name;
    this.presets.querySelector(`input[value="${preset.name}"]`).checked = true;
    for (const [key, field] of this.fields) {
      if (key === "seed") continue;
      if (field.type === "checkbox") field.checked = preset.settings[key];
      else field.value = preset.settings[key];
    }
  }

  row(name, property) {
    const row = document.createElement("div");
    row.className = "setting";
    const label = document.createElement("label");
    label.htmlFor = `setting-${name}`;
    label.textContent = name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
    const help = document.createElement("p");
    help.id = `help-${name}`;
    help.textContent = property.description;
    const field = input(property);
    field.id = label.htmlFor;
    field.setAttribute("aria-describedby", help.id);
    this.fields.set(name, field);
    row.append(label, field, help);
    if (property.examples && field instanceof HTMLInputElement) row.append(suggestions(name, property, field));
    return row;
  }

  /** What differs from the preset, with the preset and the seed. */
  values() {
    const preset = this.config.presets.find((each) => each.name === this.preset);
    const chosen = { preset: this.preset };
    for (const [name, field] of this.fields) {
      const value = read(field);
      if (name === "seed" || value !== preset.settings[name]) chosen[name] = value;
    }
    return chosen;
  }

  get seed() {
    return read(this.fields.get("seed"));
  }

  set seed(value) {
    this.fields.get("seed").value = String(value);
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
  if (field.type === "checkbox") field.checked = property.default;
  else field.value = property.default;
  return field;
}

function suggestions(name, property, field) {
  const list = document.createElement("datalist");
  list.id = `choices-${name}`;
  for (const choice of property.examples) list.append(new Option(choice));
  field.setAttribute("list", list.id);
  return list;
}

function read(field) {
  if (field.type === "checkbox") return field.checked;
  if (field.type === "number") return field.value === "" ? 0 : Number(field.value);
  return field.value;
}
