/** What is sent to the server: a picture that it has is not sent again, unless it has it no more. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createJob, follow } from "../../../src/patchloom/server/static/js/api.js";

const sent = [];
const answers = [];

globalThis.XMLHttpRequest = class {
  upload = {};
  open() {}
  send(form) {
    sent.push(form.has("image") ? "photo" : form.get("image_of"));
    [this.status, this.response] = answers.shift();
    this.onload();
  }
};

test("a photo goes once; one that is gone there goes again", async () => {
  const parts = { image: new Blob(["photo"]), mask: new Blob(["mask"]), settings: {} };
  const send = () => createJob(parts, () => {}, new AbortController().signal);
  answers.push([202, { id: "a" }], [202, { id: "b" }], [410, { title: "gone" }], [202, { id: "c" }], [429, { title: "full" }]);
  for (const id of ["a", "b", "c"]) assert.equal((await send()).id, id);
  assert.deepEqual(sent, ["photo", "a", "b", "photo"]);
  await assert.rejects(send, { message: "full" });
  assert.equal(sent.length, 5, "what is refused for another reason is not sent again");
});

/** A server that tells these states of a job one after another; null: it is not reached. */
function answersWith(states) {
  globalThis.fetch = async () => {
    const state = states.shift();
    if (!state) throw new TypeError("not reached");
    return new Response(JSON.stringify(state));
  };
}

test("a job is followed over a server that is started anew", async () => {
  globalThis.setTimeout = (wake) => queueMicrotask(wake);
  globalThis.EventSource = class {
    addEventListener() {}
    close() {}
    set onerror(heard) {
      queueMicrotask(heard);
    }
  };
  const states = [{ status: "running", progress: { fraction: 0.5 } }, null, null, { status: "done", result: { format: "PNG" } }];
  answersWith(states);
  const heard = [];
  await follow("a", (name) => heard.push(name));
  assert.deepEqual(heard, ["step", "done"]);
  globalThis.fetch = async () => new Response(JSON.stringify({ title: "gone" }), { status: 404 });
  await assert.rejects(follow("a", () => {}), { message: "gone" });
});

test("with the server that is started anew, what happens is streamed again", async () => {
  globalThis.setTimeout = (wake) => queueMicrotask(wake);
  const streams = [
    [["step", { fraction: 0.2 }], ["server_stopping", { kept: true }]],
    [["level_done", { preview: 1 }], ["done", {}]],
  ];
  globalThis.EventSource = class extends EventTarget {
    constructor() {
      super();
      const events = streams.shift().map(([name, data]) => Object.assign(new Event(name), { data: JSON.stringify(data) }));
      queueMicrotask(() => events.forEach((event) => this.dispatchEvent(event)));
    }
    close() {}
  };
  const states = [null, { status: "running", progress: {} }]; // none that is about to stop says that it is
  answersWith(states);
  const heard = [];
  await follow("a", (name) => heard.push(name));
  assert.deepEqual(heard, ["step", "level_done", "done"]);
  assert.equal(streams.length, 0);
});
