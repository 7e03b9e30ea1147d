/** Shows openapi.json for people. */

const here = new URL(".", location.href).href.replace(/\/$/, "");
document.getElementById("example").textContent = [
  `curl -F image=@photo.jpg -F mask=@mask.png -F 'settings={"preset": "fast"}' ${here}/api/jobs`,
  `curl ${here}/api/jobs/ID`,
  `curl -o filled.jpg ${here}/api/jobs/ID/result`,
].join("\n");

const description = await (await fetch("openapi.json")).json();
const groups = new Map();
for (const [path, methods] of Object.entries(description.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags?.[0] ?? "other";
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(section(method, path, operation));
  }
}
for (const [tag, sections] of groups) {
  document.getElementById("operations").append(element("h2", tag), ...sections);
}

function element(name, text = "", ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function section(method, path, operation) {
  const details = element("details");
  details.className = "operation";
  const verb = element("span", method.toUpperCase());
  verb.className = "method";
  details.append(element("summary", "", verb, element("code", path), ` ${operation.summary ?? ""}`));
  const fields = [
    ...(operation.parameters ?? []).map((field) => [field.name, field.schema?.type ?? "", field.in]),
    ...bodyFields(operation.requestBody),
  ];
  if (fields.length) details.append(element("h3", "Takes"), table(fields));
  details.append(element("h3", "Answers"), table(Object.entries(operation.responses).map(answer)));
  return details;
}

function bodyFields(body) {
  const [kind, content] = Object.entries(body?.content ?? {})[0] ?? [];
  const { properties = {}, required = [] } = content?.schema ?? {};
  return Object.entries(properties).map(([name, property]) => {
    const type = property.format === "binary" ? "file" : property.type;
    const must = required.includes(name) ? "required. " : "";
    return [name, type, `${must}${property.description ?? ""} (${kind})`];
  });
}

function answer([status, response]) {
  return [status, Object.keys(response.content ?? {}).join(", "), response.description ?? ""];
}

function table(rows) {
  const made = element("table");
  for (const cells of rows) made.append(element("tr", "", ...cells.map((cell) => element("td", String(cell)))));
  return made;
}
