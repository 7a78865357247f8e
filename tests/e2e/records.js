// Records as pages send them, for tests that are pages themselves.
import { randomBytes } from "node:crypto";

import { expect } from "@playwright/test";

export const messageId = (time = Date.now()) => {
  const hex = time.toString(16).padStart(12, "0") + "7" + randomBytes(10).toString("hex").slice(1);
  return hex.replace(/(.{8})(.{4})(.{4})(.)(.{3})(.{12}).*/, "$1-$2-$3-8$5-$6");
};

let calls = 0;

export const record = (sc, ...call) => ({
  v: 1,
  id: messageId(),
  // Apart in time: the stand-in takes bodies that are alike to the last byte for one.
  at: Date.now() - 10_000 + 10 * calls++,
  call,
  page: { url: "https://shop.example/" },
  sc,
  consent: ["tracking"],
});

export const pageView = (sc, data = {}) =>
  record(sc, "sendEvent", "PageView", { PageView: {}, ...data });

export const cart = (sc) =>
  record(sc, "sendEvent", "StatusCart", {
    StatusCart: [{ productKey: "1", price: "10", quantity: "1", currency: "UAH" }],
    GUID: "0a7f2c1e-5f3b-4c1d-8e2a-6b9d0c4f1a11",
  });

export const order = (sc, number = "order-1") =>
  record(sc, "sendEvent", "PurchasedItems", {
    OrderNumber: number,
    PurchasedItems: [{ productKey: "1", price: "10", quantity: "1", currency: "UAH" }],
  });

export const post = (origin, path, body) =>
  fetch(`${origin}/k/${path}`, { method: "POST", headers: { origin }, body: JSON.stringify(body) });

/** Sends records as a page does and returns the results, in their order. */
export const send = async (stack, ...records) => {
  const answer = await post(stack.kit, "b", { v: 1, sentAt: Date.now(), records });
  expect(answer.status).toBe(202);
  return (await answer.json()).results;
};

export const sendAll = async (stack, records) => {
  const results = [];
  for (const record of records) results.push(...(await send(stack, record)));
  return results;
};

export const verdicts = (results) => results.map(({ verdict, code }) => code ?? verdict);

/** What the Worker says has become of events. */
export const state = async (stack, sc, ...ids) => {
  const { results } = await (await post(stack.kit, "q", { sc, ids })).json();
  return results.map(({ state }) => state);
};

/** Asks the Worker as the shop's server does. */
export const server = async (stack, path, method = "GET", body) => {
  const headers = { authorization: "Bearer " + stack.server_token };
  const answer = await fetch(`${stack.kit}/k/${path}`, { method, headers, body });
  return answer.json();
};
