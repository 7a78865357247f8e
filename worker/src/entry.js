// Where the Worker begins. What worker-build makes wants an object of its class for each request, behind
// proxies that set the WebAssembly up anew after a panic; that costs each request some 45 µs. One such
// object does for all: a handler that was taken from it still looks for a panic before each call, and
// holds nothing of the request that it was made with.
import { front } from "./front.js";
import Worker from "./index.js";

// By name: whatever else the module exports is none of the runtime's business.
export {
  BulkObject,
  GovernorObject,
  OutboxObject,
  PromoObject,
  RecommendationsObject,
  UsesObject,
} from "./index.js";

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
    const { fetch, scheduled } = new Worker(ctx, env);
    handlers = { fetch, scheduled };
  }
  return handlers[name].call({ env, ctx }, event);
};

const serve = async (request, env, ctx) => {
  const answer = await handle("fetch", request, env, ctx);
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
};
