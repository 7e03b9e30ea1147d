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

/** Writes what the list shows and some parts, all or nothing. @param {Record<string, any>} parts */
export async function write(id, shown, parts, dropped = []) {
  const [about, values] = await Promise.all([withoutBlobs({ ...shown, id }), withoutBlobs(parts)]);
  await transact("readwrite", (works, store) => {
    works.put(about, id);
    for (const [part, value] of Object.entries(values)) store.put(value, [id, part]);
    for (const part of dropped) store.delete([id, part]);
  });
}

/** Files as their bytes: in private windows WebKit keeps no blobs, and a transaction in which one is put never ends. */
async function withoutBlobs(value) {
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
