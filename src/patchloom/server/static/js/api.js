/** The server, from the page's side. All addresses are relative, so that the page works under any path. */

import { t } from "./texts.js";

export class ServerError extends Error {
  /** @param {number} status @param {{code?: string, title?: string, detail?: string}} problem */
  constructor(status, problem) {
    super(problem.title || t("error.status", { status }));
    this.status = status;
    this.code = problem.code || "error";
    this.hint = problem.detail || "";
  }
}

export function unreachable() {
  return new ServerError(0, { code: "unreachable", title: t("error.unreachable"), detail: t("error.unreachable.hint") });
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : unreachable();
  }
  if (response.ok) return response;
  throw new ServerError(response.status, await response.json().catch(() => ({})));
}

/** Limits, formats, presets and settings. */
export async function config() {
  return (await call("api/config")).json();
}

/** What the server has of the pictures that it was sent or has made: the job, or JOB/result. @type {WeakMap<Blob, string>} */
const held = new WeakMap();

/**
 * Starts a job. A picture that the server has from an earlier one is not sent again.
 * @param {{image: Blob, mask: Blob, source?: Blob | null, references?: File[], settings: object}} parts
 * @param {(share: number) => void} sent told how much has gone out @param {AbortSignal} signal stops it at once
 */
export async function createJob(parts, sent, signal) {
  const { image } = parts;
  const known = held.get(image);
  try {
    const job = await send("api/jobs", jobForm(parts, known), sent, signal);
    held.set(image, job.id);
    return job;
  } catch (error) {
    if (!known || ![404, 410].includes(error.status)) throw error;
    held.delete(image); // which the server does not have any more
    return createJob(parts, sent, signal);
  }
}

function jobForm({ image, mask, source, references = [], settings }, known) {
  const form = new FormData();
  form.append("settings", JSON.stringify(settings));
  form.append("mask_mode", "white");
  form.append("first_frame", "true");
  form.append("allow_cmyk", "true");
  if (known) form.append("image_of", known);
  else form.append("image", image, "image");
  form.append("mask", mask, "mask.png");
  if (source) form.append("source", source, "source.png");
  for (const file of references) form.append("reference", file, file.name);
  return form;
}

/** By XMLHttpRequest, since fetch does not tell how an upload goes. */
function send(path, form, sent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.onload = () =>
      request.status < 300 ? resolve(request.response) : reject(new ServerError(request.status, request.response ?? {}));
    request.onerror = () => reject(unreachable());
    request.onabort = () => reject(new DOMException("", "AbortError"));
    if (signal.aborted) return reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** What a file's first bytes are of. @returns {Promise<{format: string, several_frames: boolean}>} format: "" if it is
 * not taken */
export async function recognise(beginning) {
  const options = { method: "POST", body: beginning, headers: { "Content-Type": "application/octet-stream" } };
  return (await call("api/recognise", options)).json();
}

/**
 * Finds the outline of an object. @param {Blob} image @param {Blob} marks a PNG: white the object, grey what is not
 * @param {AbortSignal} signal stops it @returns {Promise<Blob>} a PNG: white the object, grey its shadow
 */
export async function select(image, marks, signal) {
  const form = new FormData();
  form.append("image", image, "image");
  form.append("mask", marks, "marks.png");
  return (await call("api/select", { method: "POST", body: form, signal })).blob();
}

/** What a mask's file marks. @param {Blob} file @returns {Promise<Blob>} a PNG, white where it marks */
export async function readMask(file) {
  const form = new FormData();
  form.append("mask", file, file.name || "mask");
  return (await call("api/mask", { method: "POST", body: form })).blob();
}

/** The object that the mask marks in the light of the photo. @returns {Promise<Blob>} the picture's file */
export async function harmonise(image, mask, signal) {
  const form = new FormData();
  form.append("mask_mode", "white");
  form.append("first_frame", "true");
  form.append("allow_cmyk", "true");
  form.append("image", image, "image");
  form.append("mask", mask, "mask.png");
  return (await call("api/harmonise", { method: "POST", body: form, signal })).blob();
}

export async function job(id) {
  return (await call(`api/jobs/${id}`)).json();
}

export async function cancelJob(id) {
  return (await call(`api/jobs/${id}`, { method: "DELETE" })).json();
}

/** @returns {Promise<Blob>} the filled picture's file */
export async function result(id) {
  const file = await (await call(`api/jobs/${id}/result`)).blob();
  held.set(file, `${id}/result`);
  return file;
}

/** @returns {Promise<Blob>} */
export async function preview(id, number) {
  return (await call(`api/jobs/${id}/preview/${number}`)).blob();
}

/** A picture the browser cannot decode, as one that it can. */
export async function display(blob) {
  const form = new FormData();
  form.append("image", blob, "image");
  form.append("first_frame", "true");
  const response = await call("api/display", { method: "POST", body: form });
  return {
    blob: await response.blob(),
    width: Number(response.headers.get("X-Width")),
    height: Number(response.headers.get("X-Height")),
  };
}

const LAST = ["done", "failed", "cancelled", "expired"];
const STOPPING = "server_stopping"; // ends a stream before its job is over
const NAMES = ["queued", "fill_started", "step", "level_done", "warned", STOPPING, ...LAST]; // those that the page heeds
const POLL_MS = 1000;
const MOST_MISSED = 60; // times in a row without an answer

/**
 * Tells `listen(name, data)` what happens to a job until it is over: by event stream, with the next server where one is
 * started anew, or by asking every second where streams do not get through.
 * @param {string} id @param {(name: string, data: object) => void} listen @returns {Promise<void>}
 */
export async function follow(id, listen) {
  for (;;) {
    const end = await stream(id, listen);
    if (LAST.includes(end)) return;
    if (await poll(id, listen, end === STOPPING)) return;
  }
}

/** @returns {Promise<string>} the last event's name; "" if the stream broke */
function stream(id, listen) {
  return new Promise((resolve) => {
    const source = new EventSource(`api/jobs/${id}/events`);
    const end = (name) => {
      source.close();
      resolve(name);
    };
    for (const name of NAMES) {
      source.addEventListener(name, (event) => {
        if (name !== STOPPING) listen(name, JSON.parse(event.data));
        if (name === STOPPING || LAST.includes(name)) end(name);
      });
    }
    source.onerror = () => end("");
  });
}

/**
 * Asks again a server that does not answer for a while, which may be started anew or out of reach.
 * @param {boolean} briefly only until a server answers after none did @returns {Promise<boolean>} whether the job is over
 */
async function poll(id, listen, briefly) {
  for (let missed = 0; ; ) {
    try {
      const state = await job(id);
      if (LAST.includes(state.status)) {
        listen(state.status, state.error ?? state.result ?? {});
        return true;
      }
      if (briefly && missed) return false;
      missed = 0;
      listen("step", state.progress);
    } catch (error) {
      missed += 1;
      if (![0, 502, 503].includes(error.status) || missed > MOST_MISSED) throw error;
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}
