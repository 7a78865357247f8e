// What the Worker asks of its host, each in one step: a crossing from WebAssembly to here and back costs
// more than most of what is done in it. Nothing is decided here.

const request = (address, method, headers, body, signal) =>
  fetch(address, {
    method,
    headers,
    body,
    // Not even to ask again there: what goes along is for this address alone.
    redirect: "manual",
    signal,
  });

/** What `read` makes of the answer to a request, or an error when that takes longer than `patience`. */
const send = async (address, method, headers, body, patience, read) => {
  // Not a signal with a time of its own: its timer outlives the answer, and an alarm that passes on
  // thousands of events would have more of them than the runtime allows.
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error("no answer in time")), patience);
  try {
    return await read(await request(address, method, headers, body, late.signal));
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Makes a call whose answer is read; that may be `most` bytes long. Who calls, the header `name` says, if
 * anything.
 */
export const call = async (address, method, name, value, body, patience, most) => {
  const headers = { accept: "application/json" };
  if (name !== undefined) headers[name] = value;
  if (body !== undefined) headers["content-type"] = "application/json; charset=UTF-8";
  return send(address, method, headers, body, patience, async (answer) => {
    if (answer.headers.get("content-length") > most) throw new Error("the answer is too long");
    return {
      status: answer.status,
      retryAfter: answer.headers.get("retry-after"),
      totalCount: answer.headers.get("totalcount"),
      token: answer.headers.get("es-token"),
      // Not in parts, which costs as much as all the rest of a call. How long the platform's answers
      // are, the limits on rows say that every call is checked against; others ask for a few words.
      text: await answer.text(),
    };
  });
};

/** Posts an event; of a refusal, the answer is read if it says that it is no longer than `most`. */
export const post = async (address, body, agent, patience, most) => {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (agent) headers["user-agent"] = agent;
  return send(address, "POST", headers, body, patience, async (answer) => {
    const length = answer.headers.get("content-length");
    const isRead = !answer.ok && length !== null && length <= most;
    return {
      status: answer.status,
      retryAfter: answer.headers.get("retry-after"),
      text: isRead ? await answer.text() : "",
    };
  });
};

/** What comes of `promise`, or an error when that takes longer than `patience`. */
const within = async (promise, patience) => {
  let timer;
  const late = new Promise((_, fail) => (timer = setTimeout(fail, patience, new Error("no answer in time"))));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

const read = async (answer) => {
  const { status } = await answer;
  return { status, text: await (await answer).text() };
};

/** Asks an object by its name, without end if no `patience` is given. */
export const ask = async (objects, name, path, method, body, patience) => {
  const answer = read(objects.getByName(name).fetch("https://object" + path, { method, body }));
  return patience ? within(answer, patience) : answer;
};

/** Writes into a queue. As text: of anything else a queue makes what it likes. */
export const enqueue = async (queue, text, patience) =>
  within(queue.send(text, { contentType: "text" }), patience);

/** Has a message delivered again. */
export const retry = (message, delaySeconds) => message.retry({ delaySeconds });

/** Writes into a bucket, with the reason why it is there, if there is one. */
export const put = async (bucket, key, text, reason, patience) =>
  within(bucket.put(key, text, reason ? { customMetadata: { reason } } : {}), patience);

/** Writes something into a bucket in the place of what is there, unless that is gone. */
export const replace = async (bucket, key, text, patience) => {
  const known = await within(bucket.head(key), patience);
  const { customMetadata } = known ?? {};
  if (known) await within(bucket.put(key, text, { customMetadata }), patience);
};

/** What a bucket has under a key, if anything. */
export const get = async (bucket, key, patience) =>
  within(bucket.get(key).then((object) => object?.text()), patience);

/**
 * The first keys of a bucket that begin with `prefix`, in their order, and come after `startAfter`; with reasons, if
 * asked for.
 */
export const list = async (bucket, prefix, startAfter, limit, reasons, patience) => {
  const include = reasons ? ["customMetadata"] : [];
  const { objects } = await within(bucket.list({ prefix, startAfter, limit, include }), patience);
  return objects.flatMap(({ key, customMetadata }) => [key, customMetadata?.reason ?? ""]);
};

export const remove = async (bucket, key, patience) => within(bucket.delete(key), patience);

/** How much of a feed is read at a time, in bytes. */
const PART = 65_536;

/** Opens a feed, unless it is the one that `etag` or `modified` names; all of it within `patience`. */
export const openFeed = async (address, etag, modified, patience, pause) => {
  const headers = { accept: "application/rss+xml, application/xml, text/xml", "user-agent": "esputnik-kit" };
  if (etag) headers["if-none-match"] = etag;
  if (modified) headers["if-modified-since"] = modified;
  const answer = await request(address, "GET", headers, undefined, AbortSignal.timeout(patience));
  const reader = answer.body?.getReader({ mode: "byob" });
  // One for all parts: each has been copied when the next is asked for.
  let memory = new ArrayBuffer(2 * PART);
  return {
    status: answer.status,
    etag: answer.headers.get("etag"),
    modified: answer.headers.get("last-modified"),
    /** What comes next, nothing at the end; an error if nothing comes for `pause`. */
    read: async () => {
      const { value } = await within(reader.readAtLeast(PART, new Uint8Array(memory)), pause);
      if (!value?.length) return undefined;
      memory = value.buffer;
      return value;
    },
    end: () => reader?.cancel().catch(() => {}),
  };
};

/** Makes an answer. Its headers come as lines, names and values by turns; no body as none at all. */
export const respond = (status, lines, body) => {
  const headers = {};
  const parts = lines.split("\n");
  for (let place = 1; place < parts.length; place += 2) headers[parts[place - 1]] = parts[place];
  return new Response(
    // A copy, since it is sent when the memory that it lies in may hold something else.
    body.length ? body.slice() : null,
    // What says that it is encoded already is so.
    { status, headers, encodeBody: headers["content-encoding"] ? "manual" : "automatic" },
  );
};

const formats = {};

/** Writes an amount of a currency as a language does; nothing of a currency that there is not. */
export const price = (amount, currency, language) => {
  try {
    const format = (formats[language + currency] ||= new Intl.NumberFormat(language, {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
      trailingZeroDisplay: "stripIfInteger",
    }));
    return format.format(amount);
  } catch {}
};
