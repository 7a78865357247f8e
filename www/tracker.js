// The host of the tracker: does what the wasm module decides, by itself in a dedicated worker, or
// started by the loader on the main thread. `src/tracker.rs` lists messages and effects.
//
// Storage, network, lock and timer are reached from here, because a binding of each call weighs
// more than the call.
import * as glue from "kit:glue";

export const start = async (port) => {
  const module = await fetch(new URL(KIT_WASM, import.meta.url));
  const imports = { "./tracker_bg.js": glue };
  const { instance } = await WebAssembly.instantiate(await module.arrayBuffer(), imports);
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  let base, database, release, timer;

  const run = (...message) => {
    const text = glue.handle(JSON.stringify(message), Date.now(), Math.random());
    const reports = [];
    for (const effect of JSON.parse(text)) {
      const [name, detail] = effect;
      if (effects[name]) effects[name](detail);
      else reports.push(effect);
    }
    // Each message is a task of the page's main thread.
    if (reports[0]) port.postMessage(reports);
  };

  const send = async (body) => {
    let status, wait, answer;
    // Whatever `fetch` rejects with is silence.
    try {
      const response = await fetch(base + "b", { method: "POST", body, credentials: "include" });
      const after = response.headers.get("retry-after");
      status = response.status;
      // Seconds or a date.
      wait = after && Math.ceil(isNaN(after) ? Date.parse(after) - Date.now() : after * 1e3);
      answer = await response.json();
    } catch {}
    run(6, status, wait, answer);
  };

  const settle = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = reject;
    });

  const open = async () => {
    // In whatever version there is: an older release must read what a newer one left.
    const request = indexedDB.open("es");
    request.onupgradeneeded = () => request.result.createObjectStore("records");
    const opened = await settle(request);
    // The visitor may delete it at any time, and so may the page's own code, which must not wait.
    opened.onclose = opened.onversionchange = () => {
      opened.close();
      database = 0;
    };
    return opened;
  };

  // Nothing where the browser denies it; then the loader's journal and memory have to do.
  const records = async (use, again) => {
    try {
      const opened = await (database ||= open());
      return await use(opened.transaction("records", "readwrite").objectStore("records"));
    } catch (error) {
      database = 0;
      if (again) return;
      // There is a database without the store, which nobody can use.
      if (error?.name == "NotFoundError") indexedDB.deleteDatabase("es");
      return records(use, true);
    }
  };

  /** How many of the newest records have room for so many bytes. */
  const fitting = (store, room) =>
    new Promise((resolve, reject) => {
      let count = 0;
      const request = store.openCursor(null, "prev");
      request.onerror = reject;
      request.onsuccess = () => {
        const cursor = request.result;
        // Browsers keep text in up to two bytes for each unit.
        if (cursor) room -= 2 * String(cursor.value).length;
        if (!cursor || room < 0) return resolve(count);
        count++;
        cursor.continue();
      };
    });

  const load = async ([most, room]) => {
    const read = async (store) => {
      // Message ids are hexadecimal, so what lies before and behind them is not the kit's.
      store.delete(IDBKeyRange.upperBound("0"));
      store.delete(IDBKeyRange.lowerBound("g"));
      const [ids, found] = await Promise.all(
        [store.getAllKeys(), store.getAll(null, most)].map(settle),
      );
      const texts = found.map((record) => (typeof record == "string" ? record : 0));
      return [ids, texts, ids.length > most ? await fitting(store, room) : undefined];
    };
    run(7, ...((await records(read)) || []));
  };

  const effects = {
    send,
    search(most) {
      if (!navigator.locks) return load(most);
      const waiting = new AbortController();
      release = () => waiting.abort();
      navigator.locks
        .request("es", { signal: waiting.signal }, () =>
          new Promise((resolve) => load(most, (release = resolve))),
        )
        // Documents without an origin of their own have no locks, and nothing to share.
        .catch(() => (waiting.signal.aborted ? run(7) : load(most)));
    },
    release: () => release && release(),
    remove: (ids) => records((store) => ids.forEach((id) => store.delete(id))),
    clear: () => records((store) => store.clear()),
    wait(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(run, milliseconds, 9);
    },
  };

  port.onmessage = ({ data }) => {
    if (data[0] == 0) base = data[1];
    run(...data);
  };
  addEventListener("online", () => run(2));
  port.postMessage([["ready"]]);
};

// Where the module cannot be had, the loader goes on by itself, and no page hears of it.
if (!self.document) start(self).catch(() => {});
