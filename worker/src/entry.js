// Where the Worker begins. What worker-build makes wants an object of its class for each request, behind
// proxies that set the WebAssembly up anew after a panic; that costs each request some 45 µs. One such
// object does for all: a handler that was taken from it still looks for a panic before each call, and
// holds nothing of the request that it was made with.
import { front } from "./front.js";
import * as objects from "./index.js";

const { default: Worker } = objects;

// After a trap nothing goes on that Rust was doing. A request ends with its caller; an alarm would never
// end, and so be the last that its object has. One that fails is called again by the runtime.
const alarms = new Set();
const note = (error) => {
  if (error instanceof WebAssembly.RuntimeError) for (const fail of alarms) fail(error);
};
addEventListener("error", ({ error }) => note(error));
const noting = async (work) => {
  try {
    return await work();
  } catch (error) {
    note(error);
    throw error;
  }
};
const alarm = (work) =>
  new Promise((end, fail) => {
    alarms.add(fail);
    noting(work).then(end, fail).then(() => alarms.delete(fail));
  });
const guarded = (Class) =>
  new Proxy(Class, {
    construct: (...given) =>
      new Proxy(Reflect.construct(...given), {
        get(object, name) {
          const member = Reflect.get(object, name);
          if (name == "alarm") return () => alarm(() => member.call(object));
          if (name == "fetch") return (request) => noting(() => member.call(object, request));
          return member;
        },
      }),
  });

// By name: whatever else the module exports is none of the runtime's business.
export const BulkObject = guarded(objects.BulkObject);
export const CatalogueObject = guarded(objects.CatalogueObject);
export const GovernorObject = guarded(objects.GovernorObject);
export const OutboxObject = guarded(objects.OutboxObject);
export const PromoObject = guarded(objects.PromoObject);
export const RecommendationsObject = guarded(objects.RecommendationsObject);
export const UsesObject = guarded(objects.UsesObject);

// What waits in Rust goes on in a microtask. The runtime's own function for that wraps each one anew,
// and a call of the platform has several: some 70 µs in all. A promise costs next to nothing.
// What a task throws must still be seen: after a trap the WebAssembly is set up anew.
globalThis.queueMicrotask = (task) => {
  Promise.resolve().then(() => {
    try {
      task();
    } catch (error) {
      reportError(error);
    }
  });
};

let handlers;

const handle = (name, event, env, ctx) => {
  if (!handlers) {
    const { fetch, scheduled, queue } = new Worker(ctx, env);
    handlers = { fetch, scheduled, queue };
  }
  return handlers[name].call({ env, ctx }, event);
};

const serve = async (request, env, ctx) => {
  const answer = await noting(() => handle("fetch", request, env, ctx));
  const asked = answer.status == 204 && answer.headers.get("kit-front");
  if (!asked) return answer;
  const { origin } = new URL(request.url);
  const draw = (path, headers) =>
    handle("fetch", new Request(origin + path, { headers }), env, ctx);
  return front(request, JSON.parse(asked), draw);
};

export default {
  fetch: serve,
  scheduled: (event, env, ctx) => handle("scheduled", event, env, ctx),
  queue: (batch, env, ctx) => handle("queue", batch, env, ctx),
};
