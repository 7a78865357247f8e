// Just enough of two protocols to open pages: WebDriver BiDi, which Firefox speaks by itself, and
// WebDriver, which WebKitGTK's driver speaks. A page is `open(address)` and `read(expression)`.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const find = (name) =>
  (process.env.PATH || "")
    .split(":")
    .map((folder) => join(folder, name))
    .find(existsSync);

const need = (name, how) => {
  const found = find(name);
  if (!found) throw new Error(`${name} is not installed: ${how}`);
  return found;
};

/** Starts `program` and makes sure that nothing of it stays. */
const start = (program, args, env = {}) => {
  const child = spawn(program, args, {
    stdio: "ignore",
    detached: true,
    env: { ...process.env, ...env },
  });
  const stop = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  process.once("exit", stop);
  return stop;
};

const retry = async (what, attempt) => {
  for (let i = 0; i < 150; i++) {
    try {
      return await attempt();
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`${what} does not answer`);
};

export const firefox = async () => {
  const program = need("firefox-esr", "apt-get install firefox-esr");
  const port = await freePort();
  const profile = mkdtempSync(join(tmpdir(), "kit-firefox-"));
  const stop = start(program, [
    "--headless",
    "--no-remote",
    "--profile",
    profile,
    `--remote-debugging-port=${port}`,
  ]);
  const socket = await retry("Firefox", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/session`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return socket;
  });
  const waiting = new Map();
  let id = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    const waiter = waiting.get(message.id);
    if (!waiter) return;
    waiting.delete(message.id);
    if (message.type == "error") waiter.reject(new Error(message.message));
    else waiter.resolve(message.result);
  };
  const send = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      socket.send(JSON.stringify({ id, method, params }));
    });
  await send("session.new", { capabilities: {} });
  const { contexts } = await send("browsingContext.getTree", {});
  const context = contexts[0].context;
  return {
    name: "Firefox",
    open: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
    read: async (expression) => {
      const { result } = await send("script.evaluate", {
        expression: `JSON.stringify(${expression}) ?? "null"`,
        target: { context },
        awaitPromise: true,
      });
      return JSON.parse(result.value);
    },
    close: async () => {
      stop();
      await sleep(300);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
};

export const webkit = async () => {
  const program = need("WebKitWebDriver", "apt-get install webkit2gtk-driver");
  const display = need("xvfb-run", "apt-get install xvfb");
  const port = await freePort();
  const stop = start(display, ["-a", program, `--port=${port}`, "--host=127.0.0.1"], {
    // The sandbox of its processes cannot be made as root, as in containers.
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
  });
  const send = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/session${path}`, {
      method,
      body: body && JSON.stringify(body),
    });
    const { value } = await answer.json();
    if (value && value.error) throw new Error(value.message);
    return value;
  };
  const { sessionId } = await retry("WebKitWebDriver", () =>
    send("POST", "", {
      capabilities: {
        alwaysMatch: {
          "webkitgtk:browserOptions": { args: ["--automation"] },
        },
      },
    }),
  );
  return {
    name: "WebKitGTK",
    open: (url) => send("POST", `/${sessionId}/url`, { url }),
    read: (expression) =>
      send("POST", `/${sessionId}/execute/sync`, { script: `return ${expression}`, args: [] }),
    close: async () => {
      await send("DELETE", `/${sessionId}`).catch(() => {});
      stop();
    },
  };
};
