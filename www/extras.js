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
  too_long: "send less: a call may carry 30,000 characters of JSON",
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

/** Tells `callback` of what happens from now on, and of what went before. */
export const on = (log, listeners, watch, name, callback) => {
  const listener = (report) => {
    if (name != "*" && name != report.type) return;
    const message = FIXES[report.code];
    answer(callback, message ? { message, ...report } : report);
  };
  if (typeof name != "string") return;
  listeners.push(listener);
  log.forEach(listener);
  // Only who listens for it makes the tracker ask what has reached the platform.
  watch(name == "delivered" || name == "*");
};

let debugging;
let explaining;

/** Shows each event's life, in a panel and in the console; or ends that. */
export const debug = (log, listeners, watch, shown = true) => {
  debugging = shown;
  const report = { type: "debug", on: shown };
  for (const listener of listeners) listener(report);
  if (!shown) return;
  if (!explaining) {
    explaining = true;
    on(log, listeners, watch, "*", (report) => debugging && console.info("[kit]", report));
  }
  return import(KIT_PANEL);
};
