/** Hands work to the worker. */

import { unreachable } from "./api.js";

let worker = null;
let count = 0;
/** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
const waiting = new Map();

/**
 * Does `task` in the worker. The buffers in `moved` go there and are gone here.
 * @param {string} kind one of worker.js's tasks @param {object} task @param {ArrayBuffer[]} moved
 */
export function aside(kind, task, moved = []) {
  worker ??= started();
  count += 1;
  const number = count;
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject });
    worker.postMessage({ number, kind, task }, moved);
  });
}

function started() {
  const made = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  made.addEventListener("message", ({ data: { number, answer, error } }) => {
    const { resolve, reject } = waiting.get(number);
    waiting.delete(number);
    if (error) reject(new Error(error));
    else resolve(answer);
  });
  made.addEventListener("error", () => {
    for (const { reject } of waiting.values()) reject(unreachable()); // its files could not be loaded
    waiting.clear();
    worker = null;
  });
  return made;
}
