// Starts the tracker: by itself in a dedicated worker, by the loader on the main thread.
import init, { Tracker } from "kit:glue";

export const start = async (port) => {
  await init({ module_or_path: new URL(KIT_WASM, import.meta.url) });
  const tracker = new Tracker((...message) => port.postMessage(message));
  port.onmessage = ({ data }) => tracker.handle(data);
  addEventListener("online", () => tracker.handle([2]));
  port.postMessage(["ready"]);
};

if (!self.document) start(self);
