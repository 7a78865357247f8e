// Reads out of a trace of the browser what a page's main thread did, and when requests left.

/** The categories that this needs; each further one slows the page down. */
export const CATEGORIES = [
  "-*",
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
  "v8.execute",
  "blink.user_timing",
];

/** Events that are JavaScript at work: compiling it and running it. */
const SCRIPT = new Set([
  "EvaluateScript",
  "FunctionCall",
  "RunMicrotasks",
  "v8.callFunction",
  "v8.compile",
  "v8.compileModule",
  "v8.evaluateModule",
  "v8.produceCache",
]);

/** From this length on a task can be felt, in milliseconds. */
const LONG = 50;

export class Trace {
  #events;
  #start;
  #thread;

  /** `buffer` holds a trace in which the page at `address` was opened. */
  constructor(buffer, address) {
    const { traceEvents } = JSON.parse(buffer);
    const start = traceEvents.findLast(
      ({ name, args }) => name == "navigationStart" && args.data?.documentLoaderURL == address,
    );
    if (!start) throw new Error(`the trace has no navigation to ${address}`);
    this.#start = start.ts;
    this.#thread = start.tid;
    this.#events = traceEvents
      .filter(({ pid, ts }) => pid == start.pid && ts >= start.ts)
      .sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  }

  /** When the first request to `path` left, from the start of the navigation, and who sent it. */
  request(path) {
    const sent = this.#events.find(
      ({ name, args }) => name == "ResourceSendRequest" && new URL(args.data.url).pathname == path,
    );
    if (!sent) throw new Error(`no request to ${path} left`);
    const via = sent.tid == this.#thread ? "loader" : "tracker";
    return { ms: (sent.ts - this.#start) / 1000, via };
  }

  /**
   * The main thread's first `within` milliseconds: its tasks, the JavaScript in them, and what of
   * that belongs to scripts for which `isKit(address)` holds. Microtasks of no script in particular
   * count as the kit's: the pages' own scripts have none.
   *
   * `*_cpu_ms` is the time for which the thread had a processor; the rest is time spent waiting for
   * other processes, be it those of the browser that a script asks or others that keep the machine
   * busy.
   */
  mainThread(within, isKit) {
    const tasks = [];
    let script = 0;
    let scriptEnd = 0;
    let kitEnd = 0;
    const parts = {};
    for (const { name, ph, tid, ts, dur = 0, tdur = 0, args } of this.#events) {
      if (ph != "X" || tid != this.#thread || ts >= this.#start + within * 1000) continue;
      if (name == "RunTask") {
        tasks.push({ end: ts + dur, ms: dur / 1000, kit: 0, cpu: 0 });
        continue;
      }
      const task = tasks.at(-1);
      if (!SCRIPT.has(name) || !task || ts >= task.end) continue;
      // What lies within an event that counts has been counted with it.
      if (ts >= scriptEnd) {
        scriptEnd = ts + dur;
        script += dur / 1000;
      }
      const { url, fileName } = args.data ?? args;
      if (ts >= kitEnd && (name == "RunMicrotasks" || isKit(url || fileName || ""))) {
        kitEnd = ts + dur;
        task.kit += dur / 1000;
        task.cpu += tdur / 1000;
        parts[name] = (parts[name] ?? 0) + dur / 1000;
      }
    }
    const sum = (of) => tasks.reduce((total, task) => total + of(task), 0);
    const most = (of) => tasks.reduce((most, task) => Math.max(most, of(task)), 0);
    const over = (ms) => Math.max(0, ms - LONG);
    return {
      kit_ms: sum(({ kit }) => kit),
      kit_cpu_ms: sum(({ cpu }) => cpu),
      // By how much the tasks would block less if the kit's part of each were not there.
      kit_blocking_ms: sum(({ ms, kit }) => over(ms) - over(ms - kit)),
      kit_longest_ms: most(({ kit }) => kit),
      script_ms: script,
      blocking_ms: sum(({ ms }) => over(ms)),
      longest_ms: most(({ ms }) => ms),
      parts,
    };
  }
}
