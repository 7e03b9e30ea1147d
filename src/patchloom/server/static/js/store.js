/**
 * Keeps every work (photo, marks, versions, history) in this browser, each under an id of its own (IndexedDB), so
 * that nothing is lost by a reload, and tabs do not touch each other's work.
 */

const NAME = "patchloom-works";
const WORKS = "works"; // id -> what the list of recent works shows
const PARTS = "parts"; // [id, part] -> blobs, typed arrays and plain values

let opening = null;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(WORKS);
      request.result.createObjectStore(PARTS);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

function transact(mode, act) {
  return open().then(
    (database) =>
      new Promise((resolve, reject) => {
        const transaction = database.transaction([WORKS, PARTS], mode);
        const request = act(transaction.objectStore(WORKS), transaction.objectStore(PARTS));
        transaction.oncomplete = () => resolve(request?.result);
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
      }),
  );
}

const all = (id) => IDBKeyRange.bound([id], [id, []]);

let filing = Promise.resolve();

/** Writes what the list shows and some parts; those with files, which take a while to be read, after the others. */
export async function write(id, shown, parts, dropped = []) {
  const entries = Object.entries(parts);
  const files = entries.filter(([, value]) => holdsBlob(value));
  const putAll = (store, given) => given.forEach(([part, value]) => store.put(value, [id, part]));
  const written = transact("readwrite", (works, store) => {
    works.put({ ...shown, id }, id);
    putAll(store, entries.filter(([, value]) => !holdsBlob(value)));
    for (const part of dropped) store.delete([id, part]);
  });
  if (!files.length) return written;
  const filed = filing.then(async () => {
    const plain = await withoutBlobs(files);
    await transact("readwrite", (_, store) => putAll(store, plain));
  });
  filing = filed.catch(() => {});
  await Promise.all([written, filed]);
}

function holdsBlob(value) {
  if (value instanceof Blob) return true;
  return (Array.isArray(value) || value?.constructor === Object) && Object.values(value).some(holdsBlob);
}

/** Files as their bytes: in private windows WebKit keeps no blobs, and a transaction in which one is put never ends. */
export async function withoutBlobs(value) {
  if (value instanceof Blob) return { bytes: await value.arrayBuffer(), type: value.type, name: value.name };
  if (Array.isArray(value)) return Promise.all(value.map(withoutBlobs));
  if (value?.constructor !== Object) return value;
  return Object.fromEntries(
    await Promise.all(Object.entries(value).map(async ([name, each]) => [name, await withoutBlobs(each)])),
  );
}

function withBlobs(value) {
  if (value?.bytes instanceof ArrayBuffer) {
    const { bytes, type, name } = value;
    return name === undefined ? new Blob([bytes], { type }) : new File([bytes], name, { type });
  }
  if (Array.isArray(value)) return value.map(withBlobs);
  if (value?.constructor !== Object) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, withBlobs(each)]));
}

/** @returns {Promise<Map<string, any>>} every part of a work */
export async function read(id) {
  const keys = await transact("readonly", (_, store) => store.getAllKeys(all(id)));
  const values = await transact("readonly", (_, store) => store.getAll(all(id)));
  return new Map(keys.map((key, index) => [key[1], withBlobs(values[index])]));
}

/** @returns {Promise<object[]>} what the list shows of each work, the newest first */
export async function list() {
  const works = await transact("readonly", (store) => store.getAll());
  return works.map(withBlobs).sort((a, b) => b.touched - a.touched);
}

/** Changes what the list shows of a work, and adds parts to it. A work that is gone stays gone. */
export async function update(id, shown, parts = {}) {
  const plain = await withoutBlobs(Object.entries(parts));
  await transact("readwrite", (works, store) => {
    const asked = works.get(id);
    asked.onsuccess = () => {
      if (!asked.result) return;
      works.put({ ...asked.result, ...shown }, id);
      for (const [part, value] of plain) store.put(value, [id, part]);
    };
  });
}

export function remove(id) {
  return transact("readwrite", (works, store) => {
    works.delete(id);
    store.delete(all(id));
  });
}

/** A new id. Not from randomUUID, which pages on plain HTTP do not have. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
