// A shop with forms, and everything behind it: the scripts as they are built, the Worker, the platform's stand-in.
import { expect, test as base } from "@playwright/test";

import { Front } from "./kit.js";
import { Stack } from "./stack.js";

export { expect };

const email = { kind: "email", required: true };

export const FORMS = {
  news: {
    form_type: "footer",
    segments: ["News"],
    pages: [
      {
        title: "Letters worth opening",
        text: "Twice a month. See our [privacy policy](/privacy).",
        fields: [
          email,
          { kind: "first_name" },
          {
            kind: "subscriptions",
            options: [
              { value: "news", label: "News" },
              { value: "sales", label: "Sales" },
            ],
          },
          { kind: "consent", required: true, label: "I agree to the [privacy policy](/privacy)" },
        ],
      },
    ],
  },
  kept: {
    reserve: [[0, 520], [600, 420]],
    segments: ["News"],
    pages: [{ title: "Letters worth opening", text: "Twice a month.", fields: [email, { kind: "first_name" }] }],
  },
  // Sent sooner than a person can, it is sent once more by itself.
  own: { form_type: "own", segments: ["Own"], min_seconds: 1, pages: [{ fields: [email] }] },
  // Bound to a form whose inputs a framework controls.
  two: { form_type: "two", segments: ["Two"], pages: [{ fields: [email, { kind: "phone", country: "UA" }] }] },
  sale: {
    layout: "popup",
    form_type: "sale",
    segments: ["News", "Sale"],
    thanks: { code: "SALE10" },
    show: { when: { time_on_page: 1 }, who: { pages: { include: ["/sale"] } } },
    pages: [{ title: "10 % for your first order", fields: [email] }],
    second_step: [
      {
        title: "Who shall we greet?",
        fields: [{ kind: "first_name" }, { kind: "phone", country: "UA" }],
        button: "That is me",
      },
    ],
  },
  corner: {
    layout: "box",
    form_type: "corner",
    segments: ["Corner"],
    show: { when: { scroll: 30 }, who: { pages: { include: ["/corner"] } } },
    pages: [{ title: "Before you go on", fields: [email] }],
  },
  stripe: {
    layout: "bar",
    form_type: "stripe",
    segments: ["Stripe"],
    show: { when: { click: "h1" }, who: { pages: { include: ["/stripe"] } } },
    pages: [{ title: "Sales once a week", text: "Nothing else.", fields: [email] }],
  },
  call: {
    kind: "request",
    layout: "box",
    event: "callRequested",
    open_to_all: true,
    launcher: { text: "Ask us" },
    pages: [
      {
        title: "Shall we call you?",
        fields: [
          { kind: "phone", required: true, country: "UA" },
          {
            kind: "select",
            param: "topic",
            label: "About what?",
            options: [
              { value: "size", label: "The right size" },
              { value: "order", label: "My order" },
            ],
          },
        ],
      },
    ],
  },
};

/** A page of the shop. Scripts have the nonce of its policy. */
export const html = (body, { scripts = ["kit.js"], head = "" } = {}) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A shop</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style nonce="n">
  body { margin: 0; font: 16px/1.5 sans-serif; color: #222; background: #faf8f5; }
  main { max-width: 960px; margin: 0 auto; padding: 16px; } .long { height: 3000px; }
</style>${head}
${scripts.map((file) => `<script nonce="n" type="${file == "kit.js" ? "" : "module"}" src="/k/${file}"></script>`).join("")}
</head><body><main><h1>A shop</h1>${body}<p>Below the form.</p><div class="long"></div></main></body></html>`;

/** A shop in front of a kit, for as long as a worker of the tests lives; and what tests ask of both. */
class Live {
  #tests = 0;

  constructor(front, stack) {
    Object.assign(this, { front, stack });
    // What Cloudflare says of who asks: in each test somebody else.
    front.rule(({ headers }) => void (headers["cf-connecting-ip"] = this.ip));
  }

  /** Begins a test, with a person of its own. */
  begin() {
    const number = ++this.#tests;
    this.ip = `10.${number >> 8}.${number & 255}.1`;
    this.address = `person${number}@shop.example`;
    this.number = `050 ${1_000_000 + number}`;
    this.phone = "+38" + this.number.replace(" ", "");
    this.since = this.front.log.length;
  }

  /** What browsers have asked for since the test began. */
  asked(which) {
    return this.front.log.slice(this.since).filter(which);
  }

  /** Opens a page of the shop. */
  async open(page, body, { path = "/", headers, ...more } = {}) {
    this.front.page(path, html(body, more), headers);
    await page.goto(this.front.origin + path);
  }

  /** What the platform's API has taken about a person: each operation and its body. */
  async taken(person = this.address) {
    const requests = await this.stack.json("/requests?limit=100000");
    const own = requests.filter((one) => one.operation && one.status == 200 && one.body.includes(person));
    return own.map(({ operation, body }) => [operation, JSON.parse(body)]);
  }

  /** The types of events that the platform has made about a person by itself. */
  async made(person = this.address) {
    const events = await this.stack.json("/api-events?limit=100000");
    return events.filter((event) => JSON.stringify(event).includes(person)).map(({ eventTypeKey }) => eventTypeKey);
  }

  /** What the platform's tracker has of a browser: events by their names, each with who the visitor was. */
  async tracked(page) {
    const cookies = await page.context().cookies();
    const webId = cookies.find(({ name }) => name == "sc")?.value;
    const events = (await this.stack.events()).map(({ body }) => body.GeneralInfo);
    const own = events.filter(({ cookies }) => cookies.sc == webId);
    return own.map(({ eventName, user_email, user_phone }) => [eventName, user_email ?? user_phone]).sort();
  }
}

export const test = base.extend({
  shop: [
    async ({}, use) => {
      const front = new Front();
      await front.listen();
      const stack = await Stack.start({
        site: { hosts: [`127.0.0.1:${front.port}`], forms: Object.keys(FORMS) },
        settings: { forms: FORMS },
        secrets: { KIT_SIGNING_KEY: "a long and random text for these tests" },
      });
      front.target = stack.shop;
      await use(new Live(front, stack));
      await stack.stop();
      front.close();
    },
    { scope: "worker" },
  ],

  /** The shop, for one test. */
  live: async ({ shop }, use) => {
    shop.begin();
    await use(shop);
  },

  /** What the pages threw; nobody may see an error of the kit. */
  errors: [
    async ({ context }, use) => {
      const errors = [];
      context.on("weberror", (error) => errors.push(String(error.error())));
      await use(errors);
      expect(errors, "errors on the pages").toEqual([]);
    },
    { auto: true },
  ],
});
