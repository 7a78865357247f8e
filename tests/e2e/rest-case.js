// A call of the platform's REST API as an example: through the Worker's authorised route to the
// platform's stand-in, and the answer that is given back through the decoder.

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const xtask = fileURLToPath(new URL("../../target/debug/xtask", import.meta.url));

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

/** An answer of the platform in the form that a shop's server gets. */
async function decode({ method, path, answer, status = 200 }) {
  const child = spawn(xtask, ["decode", method, path, String(status)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(bodyOf(answer));
  let text = "";
  for await (const part of child.stdout) text += part;
  return text;
}

/** Makes the call of a case and says what became of it. `parse` reads JSON, `settle` what arrived. */
export async function callRest(example, { stack, parse, received }) {
  const { method, path: given, request, answer } = example;
  if (typeof method != "string" || typeof given != "string")
    return { verdict: "refused", code: "invalid_case", message: "give method and path", warnings: [] };
  const path = given.replace(/^(https?:\/\/[^/]+)?\/?(api\/)?/, "/");
  const reply = await fetch(stack.shop + "/k/api" + path, {
    method: method.toUpperCase(),
    headers: { "content-type": "application/json", authorization: "Bearer " + stack.server_token },
    body: request === undefined || method.toUpperCase() == "GET" ? undefined : bodyOf(request),
  });
  const { data, error, warnings = [], ...beside } = parse(await reply.text());
  const sent = (await received()).at(-1);
  const outcome = error
    ? { verdict: sent ? "failed" : "refused", ...error }
    : { verdict: "accepted", data, ...beside };
  const shown = { ...outcome, status: reply.status, warnings };
  if (sent && isObject(request)) shown.changed = changes(request, sent.body);
  if (answer !== undefined) {
    shown.answer = parse(await decode({ ...example, path }));
    if (isObject(answer) && !shown.answer.error)
      shown.answer_changed = changes(answer, shown.answer.data);
  }
  return shown;
}
