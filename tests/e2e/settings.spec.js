// Where the Worker gets its settings from, and those that pages do not show.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@playwright/test";

import { Stack } from "./stack.js";
import { addWorker } from "./workers.js";

const log = (stack) => readFileSync(join(stack.folder, "worker.log"), "utf8");

/** The kit's Worker with other settings, and objects of its own. */
const withConfig = (stack, name, change) =>
  addWorker(stack, name, (kit) =>
    kit
      .replace('uniqueKey = "outbox"', `uniqueKey = "${name}"`)
      .replace(/^ *\(name = "KIT_CONFIG", text = (".*")\),$/m, (_, text) => {
        const config = change(JSON.parse(JSON.parse(text)));
        if (!config) return "";
        return `(name = "KIT_CONFIG", text = ${JSON.stringify(JSON.stringify(config))}),`;
      }),
  );

let stack;
test.beforeEach(async () => {
  stack = await Stack.start({ secrets: { KIT_SIGNING_KEY: "canary-signing" } });
});
test.afterEach(() => stack.stop());

test("without a variable the Worker has the settings it was built with", async () => {
  const origin = await withConfig(stack, "bare", () => undefined);
  const built = JSON.parse(readFileSync(new URL("../../target/kit/config.json", import.meta.url)));
  const health = await (await fetch(`${origin}${built.path}/health`)).json();
  expect(Object.keys(health.sites)).toEqual(Object.keys(built.sites));
  for (const [name, { hosts }] of Object.entries(built.sites)) {
    const headers = { host: hosts[0] };
    const answer = await fetch(`${origin}${built.path}/kit.js`, { headers });
    expect(await answer.text()).toContain(`"s":"${name}"`);
  }
});

test("settings of a newer version are named in the log and served to nobody", async () => {
  const origin = await withConfig(stack, "newer", (config) => ({ ...config, version: 2, new: 1 }));
  const answer = await fetch(origin + "/k/kit.js");
  expect(answer.status).toBe(500);
  expect((await answer.json()).error.code).toBe("settings");
  await expect.poll(() => log(stack)).toContain("version: version 2 is newer than this build");
});

test("a site's objects are asked for within its jurisdiction", async () => {
  const origin = await withConfig(stack, "bound", (config) => {
    config.sites.main.jurisdiction = "eu";
    return config;
  });
  const answer = await fetch(origin + "/k/health");
  // The runtime on this machine knows no jurisdictions, so it says that it was asked for one.
  expect(answer.status).toBe(503);
  await expect.poll(() => log(stack)).toContain("Jurisdiction restrictions are not implemented");
});

test("what is counted of a site's visitors is asked for within its jurisdiction", async () => {
  const turnstile = { site_key: "1x00000000000000000000AA" };
  const fields = [{ kind: "email" }];
  const origin = await withConfig(stack, "counted", (config) => {
    Object.assign(config.sites.main, { jurisdiction: "eu", forms: ["human"] });
    return { ...config, forms: { human: { min_seconds: 0, turnstile, pages: [{ fields }] } } };
  });
  const post = async (path, body) => {
    const headers = { origin: stack.shop };
    const answer = await fetch(origin + path, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.json();
  };
  const { token } = await post("/k/t", { call: "form:human" });
  const data = { email: "somebody@shop.example" };
  const { error } = await post("/k/forms/human", { token, turnstile: "x", data });
  // The visitor is counted before Cloudflare's test, whose secret is missing, and before anything is stored.
  expect(error.code).toBe("internal");
  await expect.poll(() => log(stack)).toContain("Jurisdiction restrictions are not implemented");
});
