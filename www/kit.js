// The loader: the part of the kit that runs on the page's main thread.
//
// It defines `eS` at once, turns each call into a record (message id, time, page,
// consent), keeps the record where it survives the page, and hands it to the tracker in a
// dedicated worker. What the tracker has not taken in time, or when the page goes, leaves from
// here in the same form: the Worker reads both with the same core.
//
// Everything is measured in bytes here, so reports are short; the extras spell them out to who listens.
// `__KIT__` is the site's part of the settings; the Worker puts it in: p path, s site, t tracker, x extras,
// f starters, c consent default, g the signals of the browser that count as a denial, k blocker probe,
// v page view, r routes, d the end of the cookie.
// `BESIDE` is set when the script is built: then the platform's own script stays on the page, and
// gets the commands that are not the kit's.
((window, document, config) => {
  const old = window.eS;
  // A second script tag must not count everything twice.
  if (old && old.kit) return;

  const script = document.currentScript || { dataset: {} };
  const attribute = (name, fallback) => {
    const value = script.dataset[name];
    return value ? value != "off" : fallback;
  };
  const base = (script.src || location.href).split("/", 3).join("/") + config.p + "/";
  const PURPOSES = ["tracking", "forms", "recommendations", "push"];
  /** What localStorage holds: the web id under this, and each record under this and its message id. */
  const KEY = "es:";
  const CHOICE = "es-consent";

  /** Records that nobody has accepted yet: message id to JSON text. */
  const pending = new Map();
  /** Those among them that a request of the loader carries. */
  const flying = new Set();
  const listeners = [];
  const log = [];
  /** Calls that wait for init, for a prerendered page to be shown, or for consent. */
  let held = [];
  let unsaved = [];
  let started, tracker, ready, timer, database, webId, theirs;
  let sequence = 0;
  let failures = 0;
  let notBefore = 0;
  let probed = !config.k;
  /** The allowed purposes; nothing while the visitor has not chosen. */
  let allowed;

  const emit = (type, detail) => {
    detail = { type, ...detail };
    // Who listens late hears what went before.
    if (log.push(detail) > 300) log.shift();
    listeners.map((listener) => listener(detail));
  };

  // Storage is denied in some privacy modes, where even touching it throws.
  const local = (use) => {
    try {
      return use(localStorage);
    } catch {}
  };

  // Where it cannot be had, localStorage and memory have to do.
  const store = (use) =>
    (database =
      database ||
      new Promise((resolve, reject) => {
      const request = indexedDB.open("es");
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => {
        const result = request.result;
        // Who deletes it must not wait for this page; what comes after is stored anew.
        result.onclose = result.onversionchange = () => (database = result.close());
        resolve(result);
      };
      request.onerror = reject;
    }))
      .then((opened) => use(opened.transaction("records", "readwrite").objectStore("records")))
      // What fails once may work the next time.
      .catch(() => (database = 0));

  const strike = (id) => local((storage) => delete storage[KEY + id]);

  const each = (use) =>
    local((storage) => {
      Object.keys(storage)
        .sort()
        .map((key) => key.startsWith(KEY) && use(key.slice(3), storage[key]));
    });

  // What follows the call itself, once for all calls of a task, and still within the task: handing
  // over to the tracker, and a transaction, which survives the browser's sudden end as localStorage
  // does not.
  const save = (id, record) => {
    pending.set(id, record);
    local((storage) => (storage[KEY + id] = record));
    if (unsaved.push(id) < 2)
      queueMicrotask(() => {
        const ids = unsaved;
        unsaved = [];
        if (ready && notBefore < Date.now()) hand(ids);
        store((records) => {
          ids.map(
            (id) =>
              pending.has(id) &&
              // With the web id, once: the Worker knows an event again by both.
              records.put(pending.get(id).replace(/]}$/, `],"sc":${JSON.stringify(browser())}}`), id),
          );
          // Room for long times offline.
          if (pending.size > 50) records.transaction.oncomplete = () => ids.map(strike);
        });
      });
  };

  // One for all calls of the page, whose times and places tell them apart: asking the browser for
  // chance each time would take longer than the rest of a call. Decimal digits are hexadecimal ones too.
  const tail = (1e15 + crypto.getRandomValues(new Uint32Array(2)).join(""))
    .slice(-15)
    .replace(/.../, "-8$&-");

  /** What the ids of those records end with that leave from here: at first this page's own. What it has
   *  found may be on its way from the page that made it, and the tracker can see whether that lives. */
  let whose = tail;

  /** As many as leave; the Worker reads no longer record. */
  const bytes = (text) => new TextEncoder().encode(text).length;

  /** A UUIDv7; calls of one millisecond keep their order. */
  const uuid = (time) =>
    ("0" + time.toString(16)).replace(/.{8}/, "$&-") +
    "-" +
    (28672 + (sequence++ & 4095)).toString(16) +
    tail;

  const cookie = (value, age) =>
    (document.cookie = `sc=${value};path=/;max-age=${age};samesite=lax${config.d}`);

  // Another's cookie of that name, which the Worker would take for no web id, counts as none.
  const readCookie = () => (/(^|; )sc=([^";]{1,128})(;|$)/.exec(document.cookie) || [])[2];

  /** The web id. It is asked for when something leaves: at the page's start, the browser would take
   *  longer to say it than the kit for all the rest. A new visitor's is the id of the first record
   *  that waits, so that two tabs which wait for the same one do not name its visitor differently. */
  const browser = () => {
    const kept = readCookie();
    webId =
      kept ||
      webId ||
      // A browser that ends suddenly may forget its cookie. The platform's own script keeps the id here
      // too; without one, this fails quietly.
      local((storage) => storage[KEY] || JSON.parse(storage.esState).customerId) ||
      pending.keys().next().value.toUpperCase();
    local((storage) => (storage[KEY] = webId));
    // 400 days is the longest that browsers allow.
    if (!kept) cookie(webId, 34560000);
    return webId;
  };

  const tracking = () => allowed.includes("tracking");

  /** What few pages need comes when it is needed. Where it cannot, the rest goes on without. */
  const load = (file, use) => import(base + file).then(use).catch(flush);
  const extra = (name, ...rest) => load(config.x, (extras) => extras[name](...rest));

  const post = (...message) => tracker && tracker.postMessage(message);

  const hand = (ids) => {
    [...ids].map(
      (id) => pending.has(id) && !flying.has(id) && post(1, id, pending.get(id), browser()),
    );
  };

  /** Sends on what waits: calls become records once nothing forbids it. */
  const release = () => {
    if (!started || !probed || !allowed || document.prerendering) return;
    const calls = held;
    held = [];
    for (const [id, text] of calls) {
      if (tracking()) {
        // The tracker bounds what waits; without one the oldest go here.
        if (!ready && pending.size > 5e3) drop(pending.keys().next().value, "expired");
        save(id, text.slice(0, -1) + `,"consent":${JSON.stringify(allowed)}}`);
      } else drop(id, "consent_missing");
    }
    if (!ready) soon(300);
  };

  const done = (result) => {
    pending.delete(result.id);
    strike(result.id);
    emit(result.verdict, result);
  };

  const drop = (id, code) => done({ id, verdict: "refused", code });

  /** Takes what an earlier page left and returns its id. What is broken would break the batch: storage
   *  can hold anything. */
  const take = (record) =>
    local(() => {
      const { id } = JSON.parse(record);
      if (id[35]) return pending.set(id, record) && id;
    });

  /** Sends, or has sent, what waits, but not before the Worker wants it. */
  const go = () => {
    if (notBefore > Date.now()) soon(notBefore - Date.now());
    else if (ready) hand(pending.keys());
    else flush();
  };

  const soon = (delay) => {
    timer ||= setTimeout(() => {
      timer = 0;
      go();
    }, delay);
  };

  /** The raw path: sends what the tracker has not taken, in parts that outlive the page. */
  const flush = async () => {
    const ids = [];
    let body = "";
    let size = 0;
    for (const [id, record] of pending)
      if (!flying.has(id) && id.endsWith(whose)) {
        size += bytes(record);
        // Browsers let requests that outlive a page carry 64 KiB in all, the Worker reads 100 records.
        if ((body && size > 6e4) || ids[99]) break;
        body += (body && ",") + record;
        ids.push(id);
        flying.add(id);
      }
    if (!body) return;
    emit("sent", { ids });
    let wait = Math.min(3e5, 1e3 * 2 ** failures++ * (1 + Math.random()));
    try {
      const answer = await fetch(base + "b", {
        method: "POST",
        body: `{"v":1,"site":"${config.s}","sc":${JSON.stringify(browser())},"sentAt":${Date.now()},"records":[${body}]}`,
        keepalive: true,
        credentials: "include",
      });
      const after = answer.headers.get("retry-after") * 1e3;
      if (after) notBefore = Date.now() + after;
      const { results } = await answer.json();
      store((records) => results.map(({ id }) => records.delete(id)));
      results.map(done);
      if (results[0]) wait = failures = 0;
    } catch {}
    ids.map((id) => flying.delete(id));
    if (pending.size) soon(ready ? 0 : wait);
  };

  const listen = ({ data }) => {
    for (const [type, detail] of data)
      if (type == "ready") {
        ready = 1;
        // The Worker's wish to be left alone holds for the tracker too.
        post(0, base, config.s, document.visibilityState, notBefore - Date.now(), webId || readCookie(), tail);
        go();
      } else if (type == "done") done(detail);
      else emit(type, detail);
  };

  const boot = () => {
    config.f.map((file) => load(file));
    let address = base + config.t;
    // No worker can start: the main thread, where the page's policy lets wasm run there.
    const here = () => {
      ready = tracker = 0;
      extra("here", address, listen).then((port) => (tracker = port));
    };
    try {
      if (window.trustedTypes)
        address = trustedTypes
          .createPolicy("esputnik-kit", { createScriptURL: (text) => text })
          .createScriptURL(address);
      tracker = new Worker(address, { type: "module" });
      tracker.onmessage = listen;
      tracker.onerror = here;
    } catch {
      here();
    }
    // Without a tracker nobody else sends what earlier pages left in the store.
    setTimeout(() => {
      if (!ready) {
        // Neither is a time, so that both are at once; behind a pause that failures have caused, if there
        // is one. The second may never come.
        soon((whose = ""));
        store((records) => {
          records.getAll(null, 500).onsuccess = ({ target }) => soon(target.result.map(take));
        });
      }
    }, 5e3);
  };

  const record = (call, page) => {
    const at = Date.now();
    const id = uuid(at);
    const write = (fix) =>
      JSON.stringify(
        {
          v: 1,
          id,
          at,
          call,
          page: {
            url: location.href,
            ref: document.referrer,
            title: document.title,
            lang: document.documentElement.lang,
            tz: -new Date().getTimezoneOffset(),
            ...page,
          },
        },
        fix,
      );
    let text;
    try {
      text = write();
    } catch {
      // Slower, and rarely needed.
      text = write((_, value) => (typeof value == "bigint" ? "" + value : value));
    }
    emit("queued", { id, at, call });
    if (bytes(text) > 32e3) return drop(id, "too_long");
    held.push([id, text]);
    release();
  };

  const view = (page) => record(["sendEvent", "PageView", { PageView: {} }], page);

  const wipe = () => {
    held = [];
    pending.clear();
    each(strike);
    store((records) => records.clear());
    post(4);
    cookie("", (webId = 0));
  };

  const choose = (choice) => {
    allowed = config.g.some((signal) => navigator[signal] == 1) ? [] : choice;
    emit("consent", { choice: allowed });
  };

  const forward = (args) => (theirs ? theirs.apply(window, args) : eS.c(args));

  const commands = {
    init(options, ...rest) {
      if (started) return;
      started = 1;
      // Both would count everything twice.
      if (BESIDE) forward(["init", { ...options, TRACKING: false }, ...rest]);
      else emit("init", { options });
      if (attribute("pageView", config.v)) view();
      if (attribute("routes", config.r)) extra("routes", view, location.href);
      release();
    },
    consent(choice) {
      choice = PURPOSES.filter((purpose) => choice == "grant" || choice[purpose]);
      // A shop's own consent tool says it on each page; nothing is to be kept twice.
      if (config.c < 2) local((storage) => (storage[CHOICE] = JSON.stringify(choice)));
      choose(choice);
      if (!tracking()) wipe();
      release();
    },
    forget() {
      if (readCookie()) extra("forget", base, config.s, readCookie());
      wipe();
      local((storage) => delete storage[CHOICE]);
      // News without a choice, whatever the browser signals: nothing of before counts any more.
      emit("consent", (allowed = 0));
    },
  };

  const run = (call) => {
    const [name, ...rest] = call;
    if (/^(sendEvent(WithTags)?|identify|reset|orderSubmitted)$/.test(name)) record(call);
    else if (commands.hasOwnProperty(name)) commands[name](...rest);
    else if (BESIDE && !/^(on|debug)$/.test(name)) forward(call);
    else extra("command", log, listeners, emit, base, call);
  };

  // The platform's stub nests the arguments once more, other stubs do not.
  const flat = (args) => [...(args[0] && typeof args[0] == "object" ? args[0] : args)];

  const call = (args) => {
    try {
      run(flat(args));
    } catch {
      emit("refused", { code: "invalid_call" });
    }
  };

  const eS = (...args) => call(args);
  eS.kit = () => allowed;
  if (BESIDE) {
    // The platform's script takes over from its stub either way: by its own `eS`, or by its `c`.
    eS.q = [];
    eS.c = function () {
      eS.q.push(arguments);
    };
    Object.defineProperty(window, "eS", {
      get: () => eS,
      set: (value) => (theirs = value == eS ? theirs : value),
    });
  } else {
    eS.c = call;
    eS.q = { push: call };
    window.eS = eS;
  }

  choose(local((storage) => JSON.parse(storage[CHOICE]).map(String)) || (config.c == 1 ? PURPOSES : null));

  // What the last page wrote and could not hand over.
  each((id, record) => {
    if (take(record) == id) save(id, record);
    else if (id) drop(id, "invalid_body");
  });

  if (config.k) extra("probe", config.k, () => release((probed = 1)));
  if (attribute("debug")) run(["debug"]);
  // A plain script tag starts by itself; the platform's snippet says when.
  if (!old && !BESIDE && attribute("init", 1)) commands.init();
  // `init` comes first, wherever it stands in the queue.
  [...((old && old.q) || [])]
    .map(flat)
    .sort((a, b) => (b[0] == "init") - (a[0] == "init"))
    .map(call);

  const turn = () => {
    post(2, document.visibilityState);
    document.visibilityState == "hidden" ? flush() : go();
  };
  document.addEventListener("prerenderingchange", release);
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", flush);
  addEventListener("online", turn);
  addEventListener("pageshow", (event) => {
    if (event.persisted && attribute("pageView", config.v)) view();
  });
  // The page comes first.
  (window.requestIdleCallback || setTimeout)(boot, { timeout: 2e3 });
})(window, document, __KIT__);
