// A call of the platform's REST API as an example: through the Worker's authorised route to the
// platform's stand-in, and the answer that is given back through the decoder.

/** JSON text of a value whose numbers keep their own digits; text is sent as it is. */
const bodyOf = (request) => (typeof request == "string" ? request : JSON.stringify(request));

const isObject = (value) => typeof value == "object" && value !== null && !JSON.isRawJSON?.(value);

/** What differs between two values, as paths with what stood and what stands there. */
export function changes(from, to, path = "") {
  if (!isObject(from) || !isObject(to) || Array.isArray(from) != Array.isArray(to))
    return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ at: path, from, to }];
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const at = (name) => (Array.isArray(from) ? `${path}[${name}]` : path ? `${path}.${name}` : name);
  return [...names].flatMap((name) => changes(from[name], to[name], at(name)));
}

/** Makes the call of a case and says what became of it. `parse` reads JSON, `settle` what arrived. */
export async function callRest(example, { stack, parse, received }) {
  const { method, path, request, answer, status = 200 } = example;
  if (typeof method != "string" || typeof path != "string")
    return { verdict: "refused", code: "invalid_case", message: "give method and path", warnings: [] };
  if (answer !== undefined)
    // The stand-in judges the request as ever, and then answers with this.
    await stack.faults([{ status, body: bodyOf(answer), count: 1 }]);
  const reply = await fetch(stack.shop + "/k/api" + path.replace(/^\/?(api\/)?/, "/"), {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json", authorization: "Bearer " + stack.server_token },
    body: request === undefined || method.toUpperCase() == "GET" ? undefined : bodyOf(request),
  });
  if (answer !== undefined) await stack.faults();
  const { data, error, warnings = [], ...beside } = parse(await reply.text());
  const requests = await received();
  const sent = requests.at(-1);
  const outcome = error
    ? { verdict: sent ? "failed" : "refused", ...error }
    : { verdict: "accepted", answer: data, ...beside };
  const shown = { ...outcome, status: reply.status, warnings };
  if (sent && isObject(request)) shown.changed = changes(request, sent.body);
  if (!error && isObject(answer)) shown.answer_changed = changes(answer, data);
  return shown;
}
