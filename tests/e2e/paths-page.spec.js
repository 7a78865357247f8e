// A page whose events go around their object: it forgets them when somebody has them, and not before.
import { expect, forgotten, kept, keys, once, test } from "./kit.js";

test.use({ cloud: { queue: true, bucket: true } });

test("a page forgets what the queue or the bucket has, and keeps what nobody has", async ({
  front, stack, page,
}) => {
  const held = { on: "deliver", do: "hold" };
  const noQueue = { on: "send", do: "fail" };
  await stack.cloudFaults(held);
  await stack.objectFaults({ do: "fail", path: "/ingest" });
  await page.goto("/");
  await page.evaluate(() => send("queue", 3));
  await forgotten(page);
  await stack.cloudFaults(held, noQueue);
  await page.evaluate(() => send("bucket", 3));
  await forgotten(page);
  const { messages, objects } = await stack.cloudState();
  expect(messages.length).toBeGreaterThan(0);
  expect(objects.length).toBeGreaterThan(0);

  await stack.cloudFaults(held, noQueue, { on: "put", do: "fail" });
  await page.evaluate(() => send("nobody", 3));
  await expect
    .poll(() => front.batches().some(({ entry }) => entry.status == 503 && entry.body.includes("nobody-0")))
    .toBe(true);
  expect(await kept(page)).toBeGreaterThan(0);
  await page.goto(front.elsewhere);

  await stack.objectFaults();
  await stack.cloudFaults();
  await stack.strike();
  await page.goto("/");
  await once(stack, [...keys("queue", 3), ...keys("bucket", 3), ...keys("nobody", 3)], { views: 2 });
  await forgotten(page);
});
