// The loader: the part of the kit that runs on the page's main thread.
//
// It defines `eS` at once, turns each call into a record (message id, time, page, browser,
// consent), keeps the record where it survives the page, and hands it to the tracker in a
// dedicated worker. What the tracker has not taken in time, or when the page goes, leaves from
// here in the same form: the Worker reads both with the same core.
//
// Everything is measured in bytes here. `__KIT__` is the site's part of the configuration; the
// Worker puts it in: p path, s site, t tracker, l panel, c consent default, g GPC, n DNT,
// k blocker probe, b beside, v page view, r routes, d cookie domain.
((window, document, config) => {
  const old = window.eS;
  // A second script tag must not count everything twice.
  if (old && old.kit) return;

  const script = document.currentScript || {};
  const attribute = (name, fallback) => {
    const value = (script.dataset || {})[name];
    return value ? value != "off" : fallback;
  };
  const base = new URL(config.p + "/", script.src || location).href;
  const PURPOSES = ["tracking", "forms", "recommendations", "push"];
  const KEY = "es:";
  const CHOICE = "es-consent";
  // Browsers let requests that outlive a page carry 64 KiB in all.
  const PART = 6e4;

  /** Records that nobody has accepted yet: message id to JSON text. */
  const pending = new Map();
  /** Those among them that a request of the loader carries. */
  const flying = new Set();
  const listeners = [];
  /** Calls that wait for init, for a prerendered page to be shown, or for consent. */
  let held = [];
  let unsaved = [];
  let started, tracker, ready, timer, database, debug, webId, sequence = 0, failures = 0;
  let probed = !config.k;
  /** The allowed purposes; null while the visitor has not chosen. */
  let allowed;
  let state;

  const emit = (type, detail) => {
    detail = Object.assign({ type }, detail);
    if (debug) console.info("[kit]", type, detail);
    for (const [name, callback] of listeners)
      if (name == type || name == "*")
        // A listener that throws is the shop's affair, and must not stop the kit.
        try {
          callback(detail);
        } catch (error) {
          setTimeout(() => {
            throw error;
          });
        }
  };

  // Storage is denied in some privacy modes, where even touching it throws.
  const local = (use) => {
    try {
      return use(localStorage);
    } catch {}
  };

  const store = (use) => {
    database ||= new Promise((resolve, reject) => {
      const request = indexedDB.open("es", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => resolve(request.result);
      request.onerror = reject;
    });
    // Where it cannot be had, localStorage and memory have to do.
    return database
      .then((opened) => {
        opened.onversionchange = () => opened.close();
        use(opened.transaction("records", "readwrite").objectStore("records"));
      })
      .catch(() => {});
  };

  // One transaction for all calls of a task, begun in the same task: it survives the browser's
  // sudden end, which localStorage does not.
  const save = () => {
    const ids = unsaved;
    unsaved = [];
    store((records) => {
      for (const id of ids) if (pending.has(id)) records.put(pending.get(id), id);
      records.transaction.oncomplete = () =>
        local((storage) => ids.forEach((id) => storage.removeItem(KEY + id)));
    });
  };

  /** A UUIDv7; calls of one millisecond keep their order. */
  const uuid = (time) => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    for (let i = 6; i--; time = Math.floor(time / 256)) bytes[i] = time;
    bytes[6] = 112 | ((sequence >> 8) & 15);
    bytes[7] = sequence++;
    bytes[8] = (bytes[8] & 63) | 128;
    return Array.from(bytes, (byte, i) =>
      (/^(4|6|8|10)$/.test(i) ? "-" : "") + (byte + 256).toString(16).slice(1),
    ).join("");
  };

  const cookie = (value, age) => {
    document.cookie =
      `sc=${value};path=/;max-age=${age};samesite=lax` +
      (config.d ? ";domain=" + config.d : "") +
      (location.protocol == "https:" ? ";secure" : "");
  };

  const readWebId = () => (document.cookie.match(/(?:^|; )sc=([^;]+)/) || [])[1];

  const identifyBrowser = () => {
    webId = readWebId();
    if (!webId) {
      // The platform's own script keeps the id here too.
      webId =
        local((storage) => JSON.parse(storage.esState).customerId) || uuid(Date.now()).toUpperCase();
      // 400 days is the longest that browsers allow.
      cookie(webId, 34560000);
    }
  };

  /** What few pages need comes when it is needed. */
  const extra = (name, ...rest) => import(base + config.x).then((extras) => extras[name](...rest));

  const post = (...message) => tracker && tracker.postMessage(message);

  const hand = () => {
    for (const [id, record] of pending) if (!flying.has(id)) post(1, id, record);
  };

  /** Sends on what waits: calls become records once nothing forbids it. */
  const release = () => {
    if (!started || !probed || !allowed || document.prerendering) return;
    const calls = held;
    held = [];
    if (!allowed.includes("tracking"))
      return calls.forEach(([id]) => emit("refused", { id, code: "consent_missing" }));
    webId || identifyBrowser();
    for (const [id, text] of calls) {
      const record =
        text.slice(0, -1) +
        `,"sc":${JSON.stringify(webId)},"consent":${JSON.stringify(allowed)}}`;
      pending.set(id, record);
      local((storage) => storage.setItem(KEY + id, record));
      if (!unsaved.push(id) || unsaved.length == 1) queueMicrotask(save);
      if (ready) post(1, id, record);
    }
    if (!ready) soon(300);
  };

  const done = (result) => {
    const { id, verdict } = result;
    pending.delete(id);
    flying.delete(id);
    local((storage) => storage.removeItem(KEY + id));
    emit(verdict, result);
  };

  const soon = (delay) => {
    timer ||= setTimeout(() => {
      timer = 0;
      if (!ready) flush();
    }, delay);
  };

  /** The raw path: sends what the tracker has not taken, in parts that outlive the page. */
  const flush = () => {
    const ids = [];
    let body = "";
    for (const [id, record] of pending) {
      if (flying.has(id)) continue;
      const longer = body + (body && ",") + record;
      if (ids[0] && new Blob([longer]).size > PART) break;
      body = longer;
      ids.push(id);
    }
    if (!ids[0]) return;
    ids.forEach((id) => flying.add(id));
    emit("sent", { ids });
    const failed = (wait) => {
      ids.forEach((id) => flying.delete(id));
      if (ready) hand();
      else soon(wait * 1e3 || Math.min(3e5, 1e3 * 2 ** failures++ * (1 + Math.random())));
    };
    fetch(base + "b", {
      method: "POST",
      body: `{"v":1,"site":"${config.s}","sentAt":${Date.now()},"records":[${body}]}`,
      keepalive: true,
      credentials: "include",
    })
      .then((answer) =>
        answer.ok
          ? answer.json().then(({ results }) => {
              failures = 0;
              store((records) => results.forEach(({ id }) => records.delete(id)));
              results.forEach(done);
              // What a refusal of the whole left out, and what did not fit.
              ids.forEach((id) => flying.delete(id));
              ready ? hand() : flush();
            })
          : failed(answer.headers.get("retry-after")),
      )
      .catch(() => failed());
  };

  const listen = ({ data: [type, detail] }) => {
    if (type == "ready") {
      ready = 1;
      post(0, base, config.s, document.visibilityState);
      watch();
      hand();
    } else if (type == "done") done(detail);
    else emit(type, detail);
  };

  // Only who listens for it makes the tracker ask what has reached the platform.
  const watch = () =>
    post(5, !!debug || listeners.some(([name]) => name == "delivered" || name == "*"));

  const boot = () => {
    let address = base + config.t;
    // No worker can start: the main thread, where the page's policy lets wasm run there.
    const here = () => {
      tracker = 0;
      extra("here", address, listen).then((port) => (tracker = port));
    };
    try {
      if (window.trustedTypes)
        address = trustedTypes
          .createPolicy("esputnik-kit", { createScriptURL: (text) => text })
          .createScriptURL(address);
      tracker = new Worker(address, { type: "module" });
      tracker.onmessage = listen;
      tracker.onerror = () => ready || here();
    } catch {
      here();
    }
  };

  const refuse = (call, code, message) => emit("refused", { call, code, message });

  const record = (call, at, page) => {
    const id = uuid(at);
    const text = JSON.stringify(
      {
        v: 1,
        id,
        at,
        call,
        page: Object.assign(
          {
            url: location.href,
            ref: document.referrer,
            title: document.title,
            lang: document.documentElement.lang || navigator.language,
            tz: -new Date(at).getTimezoneOffset(),
          },
          page,
        ),
      },
      (_, value) => (typeof value == "bigint" ? "" + value : value),
    );
    if (text.length > 3e4) return refuse(call, "too_long", "a call may carry 30,000 characters");
    emit("queued", { id, at, call });
    held.push([id, text]);
    release();
  };

  const view = (page) => record(["sendEvent", "PageView", { PageView: {} }], Date.now(), page);

  const wipe = () => {
    held = [];
    pending.clear();
    local((storage) =>
      Object.keys(storage).forEach((key) => key.startsWith(KEY) && storage.removeItem(key)),
    );
    store((records) => records.clear());
    post(4);
    if (readWebId()) cookie("", 0);
    webId = 0;
  };

  const choose = (choice) => {
    const denied =
      (config.g && navigator.globalPrivacyControl) || (config.n && navigator.doNotTrack == 1);
    allowed = denied ? [] : choice || (config.c == 1 ? PURPOSES : null);
    state = { choice: allowed && Object.fromEntries(PURPOSES.map((p) => [p, allowed.includes(p)])) };
    emit("consent", state);
  };

  const commands = {
    init(options) {
      if (started) return;
      started = 1;
      for (const name in options || {})
        if (options[name] && name != "TRACKING")
          emit("warning", { code: "not_served", field: name });
      if (attribute("pageView", config.v)) view();
      if (attribute("routes", config.r)) extra("routes", view);
      release();
    },
    consent(choice) {
      const list =
        choice == "grant" ? PURPOSES : PURPOSES.filter((purpose) => (choice || {})[purpose]);
      // A shop's own consent tool says it on each page; nothing is to be kept twice.
      if (config.c != 2) local((storage) => storage.setItem(CHOICE, JSON.stringify(list)));
      choose(list);
      if (!allowed.includes("tracking")) wipe();
      release();
    },
    forget() {
      if (readWebId()) extra("forget", base, config.s, readWebId());
      local((storage) => storage.removeItem(CHOICE));
      wipe();
      config.c = 0;
      choose();
    },
    on(name, callback) {
      listeners.push([name, callback]);
      if (name == "consent" || name == "*") callback({ type: "consent", ...state });
      watch();
    },
    debug(on = true) {
      debug = on;
      emit("debug", { on });
      watch();
      if (on) extra("panel");
    },
  };

  const run = (call) => {
    const [name, ...rest] = call;
    if (/^(sendEvent(WithTags)?|identify|reset|orderSubmitted)$/.test(name))
      record(call, Date.now());
    else if (commands.hasOwnProperty(name)) commands[name](...rest);
    else {
      const last = call[call.length - 1];
      const message = "the kit does not serve " + name;
      refuse(call, "unknown_command", message);
      if (typeof last == "function") setTimeout(() => last(message));
    }
  };

  // The platform's stub nests the arguments once more, other stubs do not.
  const flat = (args) => [].slice.call(args[0] && typeof args[0] == "object" ? args[0] : args);

  const call = (args) => {
    try {
      run(flat(args));
    } catch (error) {
      refuse(args, "invalid_call", "" + error);
    }
  };

  const eS = function () {
    call(arguments);
  };
  eS.kit = 1;
  eS.c = call;
  eS.q = { push: (...entries) => entries.forEach(call) };
  window.eS = eS;

  choose(local((storage) => JSON.parse(storage[CHOICE])));

  // What the last page wrote and could not hand over.
  local((storage) => {
    for (const key of Object.keys(storage))
      if (key.startsWith(KEY) && pending.set(key.slice(3), storage[key])) unsaved.push(key.slice(3));
    if (unsaved[0]) queueMicrotask(save);
  });

  if (config.k) fetch(config.k, { mode: "no-cors" }).then(() => (probed = 1) && release(), () => {});
  if (attribute("debug")) commands.debug();
  // A plain script tag starts by itself; the platform's snippet says when.
  if (!old && attribute("init", 1)) commands.init();
  // `init` comes first, wherever it stands in the queue.
  const isInit = (args) => args[0] == "init";
  [].slice
    .call((old && old.q) || [])
    .map(flat)
    .sort((a, b) => isInit(b) - isInit(a))
    .forEach(call);

  document.addEventListener("prerenderingchange", release);
  document.addEventListener("visibilitychange", () => {
    post(2, document.visibilityState);
    if (document.visibilityState == "hidden") flush();
  });
  addEventListener("pagehide", flush);
  addEventListener("pageshow", (event) => event.persisted && attribute("pageView", config.v) && view());
  // The page comes first.
  (window.requestIdleCallback || setTimeout)(boot, { timeout: 2e3 });
})(window, document, __KIT__);
