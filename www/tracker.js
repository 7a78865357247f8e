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
  let base, database, release, timer, own, free;

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

  /** Before what a page's ids end with, the name of the lock that it holds. */
  const PAGE = "es:";

  /** What the ids of the other pages end with that hold theirs. */
  const others = async () => {
    // Documents without an origin of their own have no locks, and old browsers have none.
    const query = navigator.locks?.query().catch(() => {});
    const names = ((await query)?.held ?? []).map(({ name }) => name);
    const pages = names.filter((name) => name.startsWith(PAGE) && name != PAGE + own);
    return pages.map((name) => name.slice(PAGE.length));
  };

  const load = async ([most, room]) => {
    const held = await others();
    const isFree = (id) => !held.some((tail) => id.endsWith(tail));
    const read = async (store) => {
      // Message ids are hexadecimal, so what lies before and behind them is not the kit's.
      store.delete(IDBKeyRange.upperBound("0"));
      store.delete(IDBKeyRange.lowerBound("g"));
      const ids = await settle(store.getAllKeys());
      const gets = ids.filter(isFree).slice(0, most).map((id) => settle(store.get(id)));
      const texts = (await Promise.all(gets)).map((record) => (typeof record == "string" ? record : 0));
      return [ids, texts, ids.length > most ? await fitting(store, room) : undefined, held];
    };
    run(7, ...((await records(read)) || [, , , held]));
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
    hold(tail) {
      const over = new AbortController();
      const { signal } = over;
      const watched = new Set();
      // A page that lets go, or is gone, is noticed at once by who waits for what it holds.
      const watch = async () => {
        for (const other of await others()) {
          if (watched.has(other)) continue;
          watched.add(other);
          navigator.locks
            .request(PAGE + other, { signal }, () => watched.delete(other))
            .then(() => run(8), () => {});
        }
      };
      own = tail;
      free = () => over.abort();
      navigator.locks
        ?.request(PAGE + tail, { signal }, () => {
          // Pages that are there already hear of this one.
          if (signal.aborted) return;
          const channel = new BroadcastChannel("es");
          channel.onmessage = watch;
          channel.postMessage(0);
          watch();
          return new Promise((resolve) => {
            signal.onabort = () => resolve(channel.close());
          });
        })
        .catch(() => {});
    },
    free: () => free(),
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
