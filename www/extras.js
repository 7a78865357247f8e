// What few pages need, fetched by the loader when one does.

/** Counts a page view for each route of a single-page site, and none twice. */
export const routes = (view, begin) => {
  // A change of the fragment alone is a place on the same page.
  const place = (address) => address.split("#")[0];
  let last = place(begin);
  let timer;
  const check = () => {
    // Routers change the address more than once, and name the page after that.
    timer =
      timer ||
      setTimeout(() => {
        timer = 0;
        const ref = last;
        last = place(location.href);
        if (last != ref) view({ ref });
      });
  };
  check();
  if (window.navigation) navigation.addEventListener("currententrychange", check);
  else {
    for (const name of ["pushState", "replaceState"]) {
      const original = history[name];
      history[name] = function () {
        original.apply(history, arguments);
        check();
      };
    }
    addEventListener("popstate", check);
  }
};

/** Runs the tracker on the main thread, where no worker can start. */
export const here = async (address, listen) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = listen;
  const tracker = await import(address);
  await tracker.start(channel.port2);
  return channel.port1;
};

/** Lets events go if the visitor's blocker, if any, lets the platform's own script pass. */
export const probe = (address, pass) => fetch(address, { mode: "no-cors" }).then(pass);

/** Asks the Worker to erase what it holds of this browser. */
export const forget = (base, site, sc) =>
  fetch(base + "f", {
    method: "POST",
    body: JSON.stringify({ v: 1, site, sc }),
    keepalive: true,
    credentials: "include",
  });

/** What the loader's own codes mean: each word of it would cost every page. */
const FIXES = {
  unknown_command: "use sendEvent, sendEventWithTags or one of the kit's own commands",
  invalid_call: "give plain data: something in this call cannot be read",
  too_long: "send less: a call may carry 32,000 bytes of JSON",
  expired: "too many events waited; the oldest go first",
  invalid_body: "what storage held of this event is broken",
  not_kept: "events wait in memory: storage is denied, full or broken, or was emptied",
  consent_missing:
    "the visitor has not allowed tracking; call eS('consent', 'grant') when they have",
  not_served: "leave the option out, or keep the platform's own script beside the kit",
};

/** Calls the shop's code. What it throws is the shop's affair, and must not stop the kit. */
export const answer = (callback, ...rest) => {
  if (typeof callback != "function") return;
  try {
    callback(...rest);
  } catch (error) {
    console.error(error);
  }
};

/** What opens and closes forms. */
const FORMS = { showForm: "show", closeForm: "close" };

/** Gets recommendations, with an error as the platform's own script gives it: as text. */
const recommend = async (params, callback) => {
  let got;
  try {
    await import(KIT_BLOCKS);
    got = await window.esRecommendations.get(Object(params));
  } catch (error) {
    answer(callback, error.message);
    throw error;
  }
  answer(callback, null, got);
};

/** What pages can ask of the Worker beside tracking. */
const CALLS = ["addContact", "addOrder", "generateEvent", "getToken"];

const post = async (address, body) => {
  const answer = await fetch(address, {
    method: "POST",
    body: JSON.stringify(body),
    credentials: "include",
  });
  return answer.json();
};

/** Makes a call that the loader does not know, or says that nobody does. */
export const command = async (log, listeners, emit, base, call) => {
  const [name, ...rest] = call;
  if (name == "on") return on(log, listeners, emit, base, ...rest);
  if (name == "debug") return debug(log, listeners, emit, base, ...rest);
  const callback = rest.at(-1);
  const refuse = (detail, code) => emit("refused", { ...detail, code });
  // What the kit's own scripts found odd.
  if (name == "warn") return emit("warning", rest[0]);
  if (name == "getRecommendations")
    return recommend(...rest).catch(({ code = "unreachable", field, message }) =>
      refuse({ call, field, message }, code),
    );
  if (Object.hasOwn(FORMS, name)) {
    await import(KIT_FORMS);
    return window.esForms[FORMS[name]](...rest);
  }
  if (!CALLS.includes(name)) {
    refuse({ call, field: name }, "unknown_command");
    return answer(callback, name + " is not served");
  }
  const { proof, ...data } = Object(rest[0]);
  let result;
  try {
    const got = await post(base + "t", { call: name });
    result = got.error ? got : await post(base + "p/" + name, { token: got.token, proof, data });
  } catch {
    result = { error: { code: "unreachable", message: "the kit's Worker did not answer" } };
  }
  const { error } = result;
  if (error) refuse({ call, ...error }, error.code);
  answer(callback, error, result.data ?? result);
};

/** First pause before the Worker is asked what has reached the platform, in milliseconds; it doubles. */
const FIRST_ASK = 500;

/** After this many questions in vain an event counts as one that takes long. */
const MOST_ASKS = 10;

/** Accepted events whose arrival at the platform somebody waits for. */
const awaited = new Set();
let asks = 0;
let asking;

/** Asks the Worker, again and again, what has become of them, whoever has sent them. */
const ask = (emit, base) => {
  if (asking || !awaited.size) return;
  asking = setTimeout(async () => {
    // As many as one question may name; the newest are of most interest.
    const ids = [...awaited].slice(-100);
    const [, sc] = /(?:^|; )sc=([^;]+)/.exec(document.cookie) || [];
    asks++;
    try {
      const body = JSON.stringify({ v: 1, sc, ids });
      const answer = await fetch(base + "q", { method: "POST", body, credentials: "include" });
      for (const { state, ...result } of (await answer.json()).results)
        if (state == "delivered" || state == "dead") {
          awaited.delete(result.id);
          asks = 0;
          emit(state, result);
        }
    } catch {}
    if (asks > MOST_ASKS) awaited.clear();
    asking = 0;
    ask(emit, base);
  }, FIRST_ASK * 2 ** Math.min(asks, 6));
};

let watching;

/** Begins to ask: only who listens for what reaches the platform makes a page do so. */
const watch = (log, listeners, emit, base) => {
  if (watching) return;
  watching = true;
  const listener = ({ type, id }) => {
    if (type != "accepted" && type != "duplicate") return;
    awaited.add(id);
    asks = 0;
    ask(emit, base);
  };
  log.forEach(listener);
  listeners.push(listener);
};

/** What a visitor can allow. */
const PURPOSES = ["tracking", "forms", "recommendations", "push"];

/** The loader's short reports as pages hear them. */
const spell = (report) => {
  const { type, choice, options } = report;
  if (type == "consent" && choice)
    return [{ ...report, choice: Object.fromEntries(PURPOSES.map((p) => [p, choice.includes(p)])) }];
  if (type != "init") return [report];
  const given = [];
  // The page's own object, which may do anything.
  try {
    for (const field in options)
      if (options[field] && field != "TRACKING")
        given.push({ type: "warning", code: "not_served", field });
  } catch {}
  return given;
};

/** Tells `callback` of what happens from now on, and of what went before. */
export const on = (log, listeners, emit, base, name, callback) => {
  const listener = (short) => {
    for (const report of spell(short)) {
      if (name != "*" && name != report.type) continue;
      const message = FIXES[report.code];
      answer(callback, message ? { message, ...report } : report);
    }
  };
  if (typeof name != "string") return;
  log.forEach(listener);
  listeners.push(listener);
  if (name == "delivered" || name == "dead" || name == "*") watch(log, listeners, emit, base);
};

/** How long a verdict may be on its way to the page when the store has forgotten the event already. */
const GRACE = 1000;

/** About as much as a record needs. */
const PROBE = "x".repeat(1000);

/** Tries each store as the loader uses it: fails where that would, and says whether it has the event. */
const STORES = {
  localStorage(id) {
    localStorage["es-probe"] = PROBE;
    delete localStorage["es-probe"];
    return localStorage["es:" + id];
  },
  IndexedDB: (id) =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open("es");
      request.onerror = reject;
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => {
        try {
          const read = request.result.transaction("records").objectStore("records").get(id);
          read.onerror = reject;
          read.onsuccess = () => resolve(read.result);
        } catch (error) {
          reject(error);
        }
        request.result.close();
      };
    }),
};

/**
 * Warns where events that wait are in memory alone, because stores are denied, full, broken or were emptied:
 * they are delivered all the same, so nothing else shows that they would not outlive the page.
 */
const audit = (log, listeners, emit) => {
  const own = new Set();
  const failing = new Set();
  let looking;
  const warn = (field, fails) => {
    if (fails && !failing.has(field)) emit("warning", { code: "not_kept", field });
    failing[fails ? "add" : "delete"](field);
  };
  const look = async (ids) => {
    const lost = [];
    for (const id of ids) {
      let kept;
      for (const name in STORES)
        try {
          kept = (await STORES[name](id)) || kept;
          warn(name);
        } catch {
          warn(name, true);
        }
      if (!kept) lost.push(id);
    }
    if (lost[0]) await new Promise((resolve) => setTimeout(resolve, GRACE));
    if (ids.some((id) => own.has(id))) warn("both", lost.some((id) => own.has(id)));
    looking = false;
  };
  const listener = ({ type, id, ids }) => {
    if (type == "queued") own.add(id);
    if (["accepted", "duplicate", "refused"].includes(type)) own.delete(id);
    // What is sent is in the stores already; each attempt is an occasion to look again.
    const sent = type == "sent" && !looking ? ids.filter((id) => own.has(id)) : [];
    // The oldest are missing where stores were emptied, the newest where they are full.
    if (sent[0]) looking = look([sent[0], sent.at(-1)]);
  };
  log.forEach(listener);
  listeners.push(listener);
};

let debugging;
let explaining;

/** Shows each event's life, in a panel and in the console; or ends that. */
export const debug = (log, listeners, emit, base, shown = true) => {
  debugging = shown;
  const report = { type: "debug", on: shown };
  for (const listener of listeners) listener(report);
  if (!shown) return;
  if (!explaining) {
    explaining = true;
    on(log, listeners, emit, base, "*", (report) => debugging && console.info("[kit]", report));
    audit(log, listeners, emit);
  }
  return import(KIT_PANEL);
};
