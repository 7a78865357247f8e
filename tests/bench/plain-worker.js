// A Worker by hand that does for a call of the platform's REST API what the kit's does, without its
// governor: it knows the caller by a token, reads and checks the body, adds the key, follows no
// redirect, waits ten seconds at most, and answers in one form.
const digest = async (text) =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));

const answer = (status, value) =>
  new Response(JSON.stringify(value), {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });

const refused = (status, code, field = "") => answer(status, { error: { code, field } });

const isText = (value, most) => typeof value == "string" && value && value.length <= most;

const check = ({ eventTypeKey, keyValue, params }) => {
  if (!isText(eventTypeKey, 100) || /[<>;\\/|"`'’^?!,]/.test(eventTypeKey)) return "eventTypeKey";
  if (keyValue !== undefined && !isText(keyValue, 300)) return "keyValue";
  if (!Array.isArray(params)) return "params";
  const names = new Set();
  for (const { name } of params) {
    if (!isText(name, 100)) return "params";
    names.add(name.toLowerCase());
  }
  if (!keyValue && !["contactid", "externalcustomerid", "email", "phone"].some((n) => names.has(n)))
    return "keyValue";
};

export default {
  async fetch(request, { TOKEN, KEY, API }) {
    const { pathname, search } = new URL(request.url);
    if (request.method != "POST" || pathname != "/k/api/v2/event") return refused(404, "unknown");
    const given = (request.headers.get("authorization") ?? "").replace("Bearer ", "");
    const [own, other] = await Promise.all([digest(TOKEN), digest(given)]);
    if (!crypto.subtle.timingSafeEqual(own, other)) return refused(401, "unauthorised");
    let body;
    try {
      body = JSON.parse(await request.text());
    } catch {
      return refused(400, "invalid_body");
    }
    const wrong = check(Object(body));
    if (wrong) return refused(400, "wrong", wrong);
    const text = JSON.stringify(body);
    if (text.length > 20_000) return refused(400, "too_long");
    try {
      const reply = await fetch(API + "/v2/event" + search, {
        method: "POST",
        headers: {
          authorization: "Basic " + btoa("kit:" + KEY),
          "content-type": "application/json; charset=UTF-8",
          accept: "application/json",
        },
        body: text,
        redirect: "manual",
        signal: AbortSignal.timeout(10_000),
      });
      const said = await reply.text();
      if (!reply.ok) return answer(502, { error: { code: "failed", message: said } });
      let data = null;
      try {
        data = JSON.parse(said);
      } catch {
        data = said || null;
      }
      return answer(200, { data });
    } catch {
      return refused(504, "unreachable");
    }
  },
};
