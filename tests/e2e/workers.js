// Workers of a test's own, beside those of a stack and in the same process.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** Below the ports that systems give to connections, as those of the stack are. */
const freePort = async () => {
  for (;;) {
    // Stacks take theirs from above.
    const port = 12_000 + Math.floor(Math.random() * 8_000);
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    probe.close();
    if (free) return port;
  }
};

/**
 * Adds a Worker to a stack that runs, starts the process anew and returns where the Worker listens.
 * `define` gets workerd's definition of the kit's Worker, in the form `( … )`, and returns another.
 */
export const addWorker = async (stack, name, define) => {
  const port = await freePort();
  const file = join(stack.folder, "config.capnp");
  const text = readFileSync(file, "utf8");
  const [, kit] = /^const kit :Workerd\.Worker = (\([^]*?^\));/m.exec(text);
  const socket = `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = "${name}")`;
  writeFileSync(
    file,
    text
      .replace("services = [", `services = [(name = "${name}", worker = .${name}),`)
      .replace("sockets = [", `sockets = [${socket},`) +
      `\nconst ${name} :Workerd.Worker = ${define(kit)};\n`,
  );
  await stack.order("kill-worker");
  await stack.order("start-worker");
  return `http://127.0.0.1:${port}`;
};

/** Opens a door to the objects themselves, through which to call as another Worker does. */
export const openDoor = async (stack) => {
  const script = `export default {
    fetch: (request, { OUTBOX }) =>
      OUTBOX.getByName(request.headers.get("object")).fetch(request),
  };`;
  const origin = await addWorker(
    stack,
    "door",
    () => `(
  modules = [(name = "door", esModule = ${JSON.stringify(script)})],
  compatibilityDate = "2026-11-01",
  bindings = [(
    name = "OUTBOX",
    durableObjectNamespace = (className = "OutboxObject", serviceName = "kit"),
  )],
)`,
  );
  return async (object, path, body) => {
    const text = typeof body == "string" ? body : JSON.stringify(body);
    const options = { method: "POST", headers: { object }, body: text };
    const answer = await fetch(origin + path, options);
    return { status: answer.status, text: await answer.text() };
  };
};
