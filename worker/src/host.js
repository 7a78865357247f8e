// What the Worker asks of its host, each in one step: a crossing from WebAssembly to here and back costs
// more than most of what is done in it. Nothing is decided here.

const send = (address, method, headers, body, patience) =>
  fetch(address, {
    method,
    headers,
    body,
    // Not even to ask again there: what goes along is for this address alone.
    redirect: "manual",
    // The runtime's own timer, which costs a request nothing but this.
    signal: AbortSignal.timeout(patience),
  });

/**
 * Makes a call whose answer is read; that may be `most` bytes long. Who calls, the header `name` says, if
 * anything.
 */
export const call = async (address, method, name, value, body, patience, most) => {
  const headers = { accept: "application/json" };
  if (name !== undefined) headers[name] = value;
  if (body !== undefined) headers["content-type"] = "application/json; charset=UTF-8";
  const answer = await send(address, method, headers, body, patience);
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
};

/** Posts an event; of a refusal, the answer is read if it says that it is no longer than `most`. */
export const post = async (address, body, agent, patience, most) => {
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (agent) headers["user-agent"] = agent;
  const answer = await send(address, "POST", headers, body, patience);
  const length = answer.headers.get("content-length");
  const isRead = !answer.ok && length !== null && length <= most;
  return {
    status: answer.status,
    retryAfter: answer.headers.get("retry-after"),
    text: isRead ? await answer.text() : "",
  };
};

/** Asks an object by its name. */
export const ask = async (objects, name, path, method, body) => {
  const answer = await objects.getByName(name).fetch("https://object" + path, { method, body });
  return { status: answer.status, text: await answer.text() };
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
