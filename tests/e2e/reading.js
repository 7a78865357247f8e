// What an example is: calls on a page, a body for shops' servers, or neither. Its kind says so
// where it is a known one, else its shape.

/** The keys of the platform's web events. */
const KEYS = [
  "PageView",
  "MainPage",
  "CategoryPage",
  "ProductPage",
  "ProductImpression",
  "SearchRequest",
  "AddToWishlist",
  "StatusCart",
  "StatusCartPage",
  "PurchasedItems",
  "CustomerData",
  "NotFound",
  "ProductUpdate",
];

/** What the tags form has under the event's key, and the plain form has not. */
const NESTS = ["Product", "Category"];

/** The site that the stack serves by itself. */
const SITE = "8A412DC";

/** Kinds of what comes from the platform, or is written about it. */
const RECORDS = [
  [/^js-callback/, "what the platform gives a page's callback"],
  [/^product-record/, "a product as the platform answers with it"],
  [/^http-(answer|response|error|headers)/, "an answer of the platform"],
  [/^http-request/, "a request to the platform's own API"],
  [/^display-rules/, "rules of the platform for showing a message"],
  [/^datalayer/, "an event that the platform's widgets push for analytics"],
];

/** The members of a token's body, of which one is enough. */
const IDENTIFIERS = ["email", "phone", "externalCustomerId", "userPseudoId", "cookie"];

/** The platform's operations that take bodies of another shape than web events. */
const OPERATIONS = [
  [({ eventTypeKey }) => eventTypeKey, "generate-event, POST /api/v2/event"],
  [({ events }) => Array.isArray(events), "generate-event, POST /api/v2/event"],
  [({ contact }) => contact, "contact subscribe, POST /api/v1/contact/subscribe"],
  [({ contacts }) => contacts, "contacts bulk update, POST /api/v1/contacts"],
  [({ channels }) => channels, "contact add or update, POST /api/v1/contact"],
  [({ orders }) => orders, "orders, POST /api/v1/orders"],
  [({ domain, domains }) => domain ?? domains, "site domains, POST /api/v1/site/domains"],
  [
    (body) => IDENTIFIERS.some((name) => body[name]),
    "contact token, POST /api/v1/auth/contact/token",
  ],
];

const isObject = (value) => typeof value == "object" && value !== null && !Array.isArray(value);

const keyOf = (data) => KEYS.find((key) => Object.hasOwn(data, key));

/**
 * Reads a case: `{calls}` to make on a page, `{body}` to post, each with the `siteId` to serve it
 * under, or `{refused}`.
 */
export function reading(example) {
  const { kind = "", payload } = Object(example);
  const plain = String(kind);
  const record = RECORDS.find(([pattern]) => pattern.test(plain));
  // Only what a shop's server may post to the tracker is an event in spite of its kind.
  const body = isObject(payload) && isObject(payload.body) ? payload.body : payload;
  if (record) return isTrackerBody(body) ? post(body) : notAnInput(record[1]);
  if (/^rest-fragment/.test(plain)) return fromFragment(payload);
  if (/^rest-/.test(plain)) return fromServer(body);
  if (/^js-/.test(plain)) return fromPage(payload);
  if (isTrackerBody(body)) return post(body);
  if (!/^(http|sdk)-/.test(plain) && (isCall(payload) || (isObject(payload) && keyOf(payload)))) {
    return fromPage(payload);
  }
  const operation = isObject(body) && OPERATIONS.find(([is]) => is(body));
  if (operation) return notServed(operation[1]);
  if (/^(http|sdk)-/.test(plain)) return notServed("one that this body does not tell");
  return notAnInput("neither a call, nor data of an event, nor a body of a known operation");
}

const isCall = (payload) =>
  (isObject(payload) && Array.isArray(payload.args)) ||
  (Array.isArray(payload) && typeof payload[0] == "string");

const isTrackerBody = (body) =>
  isObject(body) && (Object.hasOwn(body, "GeneralInfo") || Object.hasOwn(body, "webId"));

function fromPage(payload) {
  if (isCall(payload)) {
    const { call = "eS", args = payload } = payload;
    if (call != "eS") return notServed(`the script behind the function ${call}`);
    return { calls: [args], siteId: SITE };
  }
  if (!isObject(payload)) return notAnInput("neither a call nor data of an event");
  const key = keyOf(payload);
  if (key) return { calls: [pushed(key, payload)], siteId: SITE };
  // Who the visitor is, without an event's name, is what CustomerData says.
  if (isObject(payload.GeneralInfo)) {
    return { calls: [["sendEvent", "CustomerData", payload]], siteId: SITE };
  }
  const [name] = Object.keys(payload);
  if (isObject(payload[name]) || Array.isArray(payload[name])) {
    return { calls: [["sendEvent", name, payload]], siteId: SITE };
  }
  return notAnInput("data without the name of an event");
}

/** The call that pushes `data`, by the nesting of what stands under its key. */
function pushed(key, data) {
  const inner = data[key];
  const tags =
    isObject(inner) &&
    (NESTS.some((nest) => isObject(inner[nest])) ||
      Object.hasOwn(inner, "Products") ||
      (key == "PurchasedItems" && Object.hasOwn(inner, "OrderNumber")));
  const name = key == "ProductImpression" && !tags ? "ProductImpressions" : key;
  return [tags ? "sendEventWithTags" : "sendEvent", name, data];
}

function fromServer(body) {
  // Text stands for itself: the body of a server that sends no JSON.
  if (typeof body == "string") return { body, siteId: SITE };
  return Object(body) === body ? post(body) : notAnInput("no body");
}

/** What stands under a body's key, or an item of it, made whole. */
function fromFragment(payload) {
  if (Object(payload) !== payload) return notAnInput("no part of a body");
  if (isTrackerBody(payload)) return post(payload);
  const key = keyOf(payload);
  if (key) {
    const GeneralInfo = {
      eventName: key == "ProductImpression" ? "ProductImpressions" : key,
      siteId: SITE,
      datetime: Date.now(),
      cookies: { sc: "CDA68358-94FB-4D83-9655-3FEB3C4114A3" },
    };
    return post({ GeneralInfo, ...payload });
  }
  const GeneralInfo = { eventName: "ProductUpdate", siteId: SITE };
  return post({ GeneralInfo, ProductUpdate: [payload].flat() });
}

/** A body for the site that it names, where a site may be called so. */
function post(body) {
  const named = isObject(body.GeneralInfo) ? body.GeneralInfo.siteId : undefined;
  const siteId = /^[A-Za-z0-9_]{1,32}$/.test(named) && typeof named == "string" ? named : SITE;
  return { body: JSON.stringify(body), siteId };
}

const notServed = (operation) => ({
  refused: {
    code: "not_served",
    field: "",
    message: `this version of the kit does not serve the platform's operation: ${operation}`,
  },
});

const notAnInput = (what) => ({
  refused: { code: "not_an_input", field: "", message: `this is no input of the kit: ${what}` },
});
