// Tabs that the browser itself discards or freezes, as it does with those behind when memory is short. It
// leaves alone what a debugger looks at, so the pages here are told by the front what to do, and the
// browser by its own page about tabs.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { carrying, expect, keys, once, page as html, test } from "./kit.js";

/** A browser that shows `url`, and what can be done to that tab. */
const launchTab = async (launch, url) => {
  const { folder } = await launch({
    url,
    args: ["--remote-debugging-port=0"],
    state: { internal_only_uis_enabled: true },
  });
  let port;
  await expect
    .poll(() => {
      try {
        return (port = parseInt(readFileSync(join(folder, "DevToolsActivePort"), "utf8")));
      } catch {}
    })
    .toBeGreaterThan(0);
  const ask = async (path, method = "GET") =>
    (await fetch(`http://127.0.0.1:${port}/json/${path}`, { method })).text();
  const act = async (name, state) => {
    const { webSocketDebuggerUrl } = JSON.parse(await ask("new?chrome://discards", "PUT"));
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((resolve) => socket.addEventListener("open", resolve));
    let last = 0;
    const evaluate = (expression) =>
      new Promise((resolve) => {
        const id = ++last;
        const hear = ({ data }) => {
          const answer = JSON.parse(data);
          if (answer.id != id) return;
          socket.removeEventListener("message", hear);
          resolve(answer.result.result.value);
        };
        socket.addEventListener("message", hear);
        const params = { expression, returnByValue: true };
        socket.send(JSON.stringify({ id, method: "Runtime.evaluate", params }));
      });
    const row = `[...(document.querySelector("discards-main")?.shadowRoot.querySelector("discards-tab")
      ?.shadowRoot.querySelectorAll("tr") ?? [])].find((row) => row.textContent.includes(${JSON.stringify(url)}))`;
    const said = () => evaluate(`(${row})?.textContent.replace(/\\s+/g, " ") ?? ""`);
    await expect.poll(said).toContain(name);
    await evaluate(`[...(${row}).querySelectorAll("*")].find((part) => part.textContent.trim() == "${name}").click()`);
    await expect.poll(said).toContain(state);
    socket.close();
  };
  const activate = async () => {
    const targets = JSON.parse(await ask("list"));
    const { id } = targets.find((target) => target.url == url);
    await ask("activate/" + id);
  };
  return { act, activate };
};

/** A promise of an answer that a page waits for, and the function that gives it. */
const gate = (front, path) => {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  front.rule((entry) => entry.path == path && opened);
  return () => open({ status: 204 });
};

const BODY = `<script>
  document.addEventListener("freeze", () => {
    send("freezing", 2);
    tell("frozen");
  });
  document.addEventListener("resume", () => send("thawed", 2));
  if (!sessionStorage.gone) fetch("/go").then(() => {
    sessionStorage.gone = 1;
    send("cold", 5);
  });
</script>`;

for (const there of [true, false]) {
  const way = there ? "with the tracker" : "without it";
  const open = async (front, stack, launch) => {
    front.page("/", html({ body: BODY }));
    if (!there) front.hangTracker();
    const go = gate(front, "/go");
    const tab = await launchTab(launch, front.origin + "/");
    await once(stack, [], { views: 1 });
    if (there) await expect.poll(() => front.log.some(({ path }) => path.endsWith(".wasm"))).toBe(true);
    const over = front.rule(({ path }) => path == "/k/b" && { status: 503 });
    go();
    const cold = () => carrying(front, "cold-4");
    await expect.poll(() => cold().at(-1)?.entry.status).toBe(503);
    return { ...tab, over };
  };

  test(`events of a tab that was discarded arrive when the visitor is back (${way})`, async ({
    front, stack, launch,
  }) => {
    const { act, activate, over } = await open(front, stack, launch);
    await act("[Urgent Discard]", "discarded");
    over();
    await activate();
    await once(stack, keys("cold", 5), { views: 2 });
  });

  test(`a tab that is frozen delivers the rest once it goes on (${way})`, async ({
    front, stack, launch,
  }) => {
    const { act, activate, over } = await open(front, stack, launch);
    await act("[Freeze]", "frozen");
    await expect.poll(() => front.told).toEqual(["frozen"]);
    over();
    await activate();
    await once(stack, [...keys("cold", 5), ...keys("freezing", 2), ...keys("thawed", 2)], { views: 1 });
  });
}
