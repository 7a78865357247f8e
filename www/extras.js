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
export const here = async (address, listen, store, pending) => {
  const channel = new MessageChannel();
  channel.port1.onmessage = listen;
  try {
    const tracker = await import(address);
    await tracker.start(channel.port2);
  } catch (error) {
    // Nobody else will send what earlier pages left.
    await store(
      (records) =>
        new Promise((resolve) => {
          const ids = records.getAllKeys();
          records.getAll().onsuccess = ({ target }) => {
            ids.result.forEach((id, i) => pending.set(id, target.result[i]));
            resolve();
          };
        }),
    );
    throw error;
  }
  return channel.port1;
};

/** Asks the Worker to erase what it holds of this browser. */
export const forget = (base, site, sc) =>
  fetch(base + "f", {
    method: "POST",
    body: JSON.stringify({ v: 1, site, sc }),
    keepalive: true,
    credentials: "include",
  });

/** Shows each event's life. */
export const panel = () => import(KIT_PANEL);
