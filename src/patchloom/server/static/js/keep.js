/** Keeps the work over a reload, in this browser only (IndexedDB). Failing to keep is never an error. */

const NAME = "patchloom";
const STORE = "work";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function transact(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

/** Keeps one part of the work. @param {string} part @param {object} value blobs, typed arrays and plain values */
export function keep(part, value) {
  return transact("readwrite", (store) => store.put(value, part)).catch(() => {});
}

/** @param {string} part @returns {Promise<object | undefined>} what was kept */
export function kept(part) {
  return transact("readonly", (store) => store.get(part)).catch(() => undefined);
}

/** Runs of equal bytes, as pairs (length, value). @param {Uint8Array} bytes */
export function runs(bytes) {
  const pairs = [];
  for (let i = 0; i < bytes.length; ) {
    let j = i + 1;
    while (j < bytes.length && bytes[j] === bytes[i]) j++;
    pairs.push(j - i, bytes[i]);
    i = j;
  }
  return Uint32Array.from(pairs);
}

/** The inverse of runs(), into `bytes`. */
export function unrun(pairs, bytes) {
  let at = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    bytes.fill(pairs[i + 1], at, at + pairs[i]);
    at += pairs[i];
  }
}
