// What few pages need, fetched by the loader when one does.

/** Counts a page view for each route of a single-page site, and none twice. */
export const routes = (view) => {
  // A change of the fragment alone is a place on the same page.
  const place = () => location.href.split("#")[0];
  let last = place();
  const check = () => {
    const ref = last;
    last = place();
    // Routers name the page after they have changed the address.
    if (last != ref) setTimeout(() => view({ ref }));
  };
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
