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
export function write(id, shown, parts, dropped = []) {
  return transact("readwrite", (works, store) => {
    works.put({ ...shown, id }, id);
    for (const [part, value] of Object.entries(parts)) store.put(value, [id, part]);
    for (const part of dropped) store.delete([id, part]);
  });
}

/** @returns {Promise<Map<string, any>>} every part of a work */
export async function read(id) {
  const keys = await transact("readonly", (_, store) => store.getAllKeys(all(id)));
  const values = await transact("readonly", (_, store) => store.getAll(all(id)));
  return new Map(keys.map((key, index) => [key[1], values[index]]));
}

/** @returns {Promise<object[]>} what the list shows of each work, the newest first */
export async function list() {
  const works = await transact("readonly", (store) => store.getAll());
  return works.sort((a, b) => b.touched - a.touched);
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
