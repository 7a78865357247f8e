// One call of each operation of the platform's REST API, in an order in which each finds what it
// needs. Names in braces stand for what an earlier call has answered.

const APP = "83b77a49-fc28-409b-aeaa-68c9d544ab9d";
const email = { channels: [{ type: "email", value: "row@shop.example" }] };
const device = { type: "mobilepush", value: "token-1", device: { appId: APP } };
const person = (externalCustomerId) => ({
  externalCustomerId,
  channels: [{ type: "email", value: externalCustomerId + "@shop.example" }],
});

const contacts = [
  ["POST /v1/contact", { ...email, groups: [{ name: "Row" }] }, { contact: "id" }],
  ["POST /v1/contact", { channels: [device] }],
  ["POST /v1/contact", person("doomed"), { doomed: "id" }],
  ["POST /v1/contact", person("doomed2")],
  ["POST /v1/contact/subscribe", { contact: person("subscriber"), groups: ["Row"], formType: "row" }],
  ["GET /v1/contacts?email=row&startindex=1&maxrows=10"],
  ["POST /v1/contacts", { contacts: [email], dedupeOn: "email" }, { session: "asyncSessionId" }],
  ["GET /v1/importstatus/{session}"],
  ["POST /v1/contacts/upload", { dedupeOn: "email", link: "https://shop.example/contacts.csv" }],
  ["GET /v1/contacts/email?ids={contact}"],
  ["POST /v1/emails/unsubscribed/add", { emails: ["row@shop.example"] }],
  ["POST /v1/emails/unsubscribed/delete", { emails: ["row@shop.example"] }],
  ["GET /v1/groups?name=Row", undefined, { segment: "0.id" }],
  ["POST /v1/group/{segment}/contacts/attach", { contactIds: ["{contact}"] }],
  ["GET /v1/group/{segment}/contacts?orderByTs=true"],
  ["POST /v1/group/{segment}/contacts/detach", { contactIds: ["{contact}"] }],
  ["GET /v1/workflows"],
  [`GET /v1/contact/token/${APP}/token-1/contactId`],
  ["PUT /v1/contact/{contact}/subscriptions", { subscriptions: ["news"] }],
  ["GET /v1/contact/{contact}/subscriptions"],
  ["GET /v1/contact/{contact}"],
  ["PUT /v1/contact/{contact}", { firstName: "Row" }],
  ["DELETE /v1/contact/{doomed}"],
  ["DELETE /v1/contact?externalCustomerId=doomed2&erase=true"],
  ["GET /v2/contacts/recoms/1?email=row@shop.example"],
  ["GET /v1/addressbooks"],
];

const from = '"Shop" <shop@example.com>';
const messages = Object.entries({
  email: { name: "Row", from, subject: "Row", htmlText: "<p>Row</p>", languageCode: "en" },
  mobilepush: { name: "Row", title: "Row", text: "Row" },
  viber: { name: "Row", from: "Shop", text: "Row" },
  appinbox: { name: "Row", title: "Row", text: "Row" },
  telegram: { name: "Row", text: "Row" },
  sms: { name: "Row", from: "Shop", text: "Row" },
}).flatMap(([channel, message]) => {
  const path = "/v1/messages/" + channel;
  return [
    [`POST ${path}`, message, { [channel]: "id" }],
    [`POST ${path}`, { ...message, name: "Doomed" }, { ["doomed-" + channel]: "id" }],
    [`GET ${path}?search=Row`],
    [`PUT ${path}/{${channel}}`, message],
    [`PUT ${path}/{${channel}}/uk`, message],
    [`GET ${path}/{${channel}}`],
    [`DELETE ${path}/{${channel}}/uk`],
    [`DELETE ${path}/{doomed-${channel}}`],
  ];
});

const phoneNumbers = ["380501234567"];
const period = "dateFrom=2026-01-01&dateTo=2026-02-01";
const sends = [
  ["GET /v1/messages/email/{email}/viewLink"],
  [
    "POST /v1/message/{email}/smartsend",
    { recipients: [{ locator: "row@shop.example", jsonParam: '{"a":1}' }], email: true },
    { request: "results.0.requestId" },
  ],
  ["POST /v1/message/{email}/send", { recipients: ["row@shop.example"] }],
  ["GET /v1/message/status?ids={request}"],
  [
    "POST /v1/message/email",
    { from: "a@b.com", subject: "A", htmlText: "A", emails: ["row@shop.example"] },
  ],
  ["POST /v1/message/sms", { from: "Shop", text: "A", phoneNumbers }],
  ["POST /v1/message/viber", { text: "A", iosExpirityText: "A", phoneNumbers }],
  ["GET /v1/message/email/status?ids={request}"],
  ["GET /v1/message/sms/status?ids={request}"],
  ["GET /v1/message/viber/status?ids={request}"],
  ["PUT /v1/interactions/2E2E831C/status", { status: "OPENED", time: "2026-07-09T15:11:17Z" }],
  [`GET /v2/contacts/activity?${period}`],
  [`GET /v2/contacts/messages?${period}&contactId={contact}`],
  ["GET /v1/callouts/sms"],
];

const link = "https://shop.example/a.csv";
const mailings = [
  [
    "POST /v1/broadcast",
    { messageId: "{email}", groups: ["{segment}"], startDate: "2099-01-01T10:00" },
    { broadcast: "broadcastId" },
  ],
  ["GET /v1/broadcasts?maxrows=5"],
  ["GET /v1/broadcast/{broadcast}"],
  ["DELETE /v1/broadcast/{broadcast}"],
  ["GET /v1/interfaces/sms"],
  ["GET /v1/interfaces/email"],
  ["POST /v1/promocodes", { promocodes: ["A"], expirationDate: "2099-01-01", discount: 5 }],
  ["GET /v1/promocodes?inUse=false"],
  ["GET /v1/promocodes/count?discount=5"],
  ["GET /v1/subscriptions"],
  [
    "POST /v1/preprocessor/file/upload",
    { link, preprocessorType: "Key" },
    { file: "fileId", upload: "importId" },
  ],
  ["GET /v1/preprocessor/file/{upload}/status"],
  ["POST /v1/preprocessor/file/{file}", { link, ttlHours: 5 }],
];

const event = { eventTypeKey: "row", params: [{ name: "email", value: "row@shop.example" }] };
const past = { events: [{ ...event, keyValue: "1", occurred: "2020-01-01" }] };
const order = {
  externalOrderId: "1",
  externalCustomerId: "1",
  totalCost: 450.5,
  status: "INITIALIZED",
  date: "2026-01-01T10:00:00+02:00",
  currency: "UAH",
  items: [{ externalItemId: "P-1", quantity: 1, cost: 450.5 }],
};
const events = [
  ["POST /v1/event", event],
  ["POST /v2/event", event],
  ["POST /v3/event", event],
  ["POST /v1/past_events", past],
  ["POST /v2/past_events", past],
  ["POST /v3/past_events", past],
  ["DELETE /v1/past_events", { from: "2019-01-01", to: "2019-01-02" }],
  ["POST /v1/auth/token"],
  ["POST /v1/auth/contact/token", { email: "row@shop.example" }],
  ["POST /v1/orders", { orders: [order] }],
  ["DELETE /v1/orders?externalOrderId=1"],
];

const push = {
  domain: "push.shop.example",
  serviceWorkerName: "sw.js",
  serviceWorkerPath: "/push/",
  serviceWorkerScope: "/push/",
};
const rest = [
  ["GET /v1/account/info"],
  ["GET /v1/balance"],
  ["GET /v1/balance/history?dateFrom=2026-01-01&dateTo=2026-03-01"],
  ["GET /v1/version"],
  ["GET /v2/version"],
  [`PUT /v1/contact/token/activated/${APP}/token-1`, { active: true }],
  [`GET /v1/contact/token/activated/${APP}/token-1`],
  [`POST /v1/apps/${APP}/tokens`, { tokens: [{ token: "token-2", email: "row@shop.example" }] }],
  [`POST /v1/apps/${APP}/token/mute`, { token: "a", duration: 5 }],
  [`POST /v1/apps/${APP}/token/unmute`, { token: "a" }],
  ["POST /v1/site/domains", { domain: "shop.example" }],
  ["GET /v1/site/domains"],
  ["GET /v1/site/script"],
  ["POST /v1/site/webpush/domains", { domains: [push] }],
  ["POST /v1/site/webpush/domain", push],
  ["GET /v1/site/webpush/domains"],
  ["GET /v1/site/webpush/script?domain=push.shop.example"],
  ["DELETE /v1/site/webpush/domains?domain=push.shop.example"],
  ["POST /v1/products/config", { feeds: [{ url: "https://shop.example/feed.xml" }] }],
  ["GET /v1/products/config"],
];

/** `[call, body, names of what the answer holds]` */
export const calls = [...contacts, ...messages, ...sends, ...mailings, ...events, ...rest];

/** The names in braces replaced; one that stands alone in a list becomes what it is, not text. */
export function fill(value, names, isEntry) {
  if (typeof value == "string") {
    const alone = isEntry && /^\{([\w-]+)\}$/.exec(value);
    if (alone && alone[1] in names) return names[alone[1]];
    return value.replace(/\{([\w-]+)\}/g, (all, name) => names[name] ?? all);
  }
  if (Array.isArray(value)) return value.map((entry) => fill(entry, names, true));
  if (value && typeof value == "object")
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fill(entry, names)]));
  return value;
}
