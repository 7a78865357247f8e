// The ledger: what became of the events of each hour, across crashes, versions of the tables, replays and
// erasures; and who is told when it does not balance.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "@playwright/test";
import { messageId, record as made, send as sendTo } from "./records.js";
import { Stack } from "./stack.js";

const HOUR = 60 * 60 * 1000;

// The Worker as it is, with a cron that tests ring, and alarms that can be lost.
const MAIN = `import worker, { OutboxObject as Own } from "./entry.js";
export * from "./entry.js";
let lost = false;
let missed = 0;
export class OutboxObject {
  constructor(ctx, env) { this.own = new Own(ctx, env); }
  fetch(request) { return this.own.fetch(request); }
  alarm(info) { if (!lost) return this.own.alarm(info); missed++; }
}
export default {
  ...worker,
  async fetch(request, env, ctx) {
    if (request.headers.has("lose-alarms")) lost = request.headers.get("lose-alarms") == "yes";
    else if (request.headers.has("ring-cron")) await worker.scheduled({ cron: "*" }, env, ctx);
    else return worker.fetch(request, env, ctx);
    return new Response(String(missed));
  },
};
`;

let stack;
test.afterEach(() => stack?.stop());

const start = async (options = {}) => {
  stack = await Stack.start(options);
  return stack;
};

/** Starts a stack whose cron and alarms are the test's. */
const startRung = async (options) => {
  await start(options);
  await stack.order("kill-worker");
  const file = join(stack.folder, "config.capnp");
  writeFileSync(join(stack.folder, "main.js"), MAIN);
  const modules = '(name = "main.js", esModule = embed "main.js"),\n    (name = "entry.js"';
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace('(name = "entry.js"', modules));
  await stack.order("start-worker");
};

const ring = () => fetch(stack.kit + "/k/health", { headers: { "ring-cron": "1" } });

const record = (sc, data = { PageView: {} }, name = "PageView") => made(sc, "sendEvent", name, data);

const send = async (...records) =>
  (await sendTo(stack, ...records)).map(({ verdict }) => verdict);

const ask = async (path, { body, token = stack.server_token, method = body ? "POST" : "GET" } = {}) => {
  const answer = await fetch(stack.kit + "/k/" + path, {
    method,
    headers: token ? { authorization: "Bearer " + token } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text, json: () => JSON.parse(text) };
};
const ledger = async () => (await ask("ledger")).json();
const counts = ({ accepted, delivered, pending, dead, erased, balance }) =>
  ({ accepted, delivered, pending, dead, erased, balance });
const total = async () => counts((await ledger()).total);

/** The database of the one outbox, while nothing else has it open. */
const database = (use) => {
  const folder = join(stack.folder, "objects/outbox");
  const file = readdirSync(folder).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  const db = new DatabaseSync(join(folder, file));
  try {
    return use(db);
  } finally {
    db.close();
  }
};

const none = { accepted: 0, delivered: 0, pending: 0, dead: 0, erased: 0, balance: 0 };

test("each event is counted once, whatever becomes of it, and after a crash too", async () => {
  await start();
  await stack.faults([{ match: { event: "ProductPage" }, refuse: true }]);
  const ok = [record("WEB-1"), record("WEB-2")];
  const bad = record("WEB-1", { ProductPage: { productKey: "1" } }, "ProductPage");
  expect(await send(...ok, bad)).toEqual(["accepted", "accepted", "accepted"]);
  expect(await send(ok[0])).toEqual(["duplicate"]);
  expect(await send(record("WEB-1", {}, "NoSuchEvent"))).toEqual(["refused"]);
  const settled = { ...none, accepted: 3, delivered: 2, dead: 1 };
  await expect.poll(total).toEqual(settled);
  const before = await ledger();
  expect(before.total.duplicate).toBe(1);
  expect(before.total.refused_by_reason).toEqual({ unknown_event: 1 });
  expect(Object.values(before.total.dead_by_reason)).toEqual([1]);
  expect(Object.keys(before.total.dead_by_reason)[0]).toMatch(/^http_4/);
  expect(before.sites.main.total).toEqual(before.total);
  expect(before.hours.every(({ balance }) => balance == 0)).toBe(true);
  expect(before.oldest).toBe(null);

  await stack.faults([{ down: true }]);
  await send(record("WEB-3"), record("WEB-3"));
  expect(await total()).toEqual({ ...settled, accepted: 5, pending: 2 });
  await stack.order("kill-worker");
  await stack.order("start-worker");
  expect(await total()).toEqual({ ...settled, accepted: 5, pending: 2 });
  expect((await ledger()).total.duplicate).toBe(1);
  await stack.faults();
  await expect.poll(total, { timeout: 40_000 }).toEqual({ ...settled, accepted: 5, delivered: 4 });
});

test("what cannot be stored costs nothing that comes with it", async () => {
  await start();
  await send(record("WEB-0"));
  await expect.poll(total).toEqual({ ...none, accepted: 1, delivered: 1 });
  await stack.order("kill-worker");
  database((db) =>
    db.exec(`CREATE TRIGGER broken BEFORE INSERT ON batch WHEN NEW.web_id = 'WEB-BROKEN'
      BEGIN SELECT RAISE(ABORT, 'broken'); END`),
  );
  await stack.order("start-worker");
  const post = async (sc) => {
    const body = JSON.stringify({ v: 1, sentAt: Date.now(), records: [record(sc), record(sc)] });
    const answer = await fetch(stack.kit + "/k/b", { method: "POST", headers: { origin: stack.kit }, body });
    return answer.status;
  };
  const visitors = Array.from({ length: 24 }, (_, i) => (i % 6 == 5 ? "WEB-BROKEN" : "WEB-" + i));
  const answers = await Promise.all(visitors.map(post));
  expect(answers).toEqual(visitors.map((sc) => (sc == "WEB-BROKEN" ? 503 : 202)));
  await expect.poll(total).toEqual({ ...none, accepted: 41, delivered: 41 });
  expect((await stack.events()).length).toBe(41);
});

test("whoever has no token sees nothing of it, and a browser asks for one", async () => {
  await start();
  await send(record("WEB-1"));
  for (const path of ["ledger", "status", "dead.ndjson", "dead/erase", "erase", "dead/" + messageId()])
    for (const token of [null, "not-a-token-of-this-deployment"]) {
      const body = /erase/.test(path) ? { all: true } : undefined;
      expect((await ask(path, { token, body })).status, path).toBe(401);
    }
  const basic = (password) =>
    fetch(stack.kit + "/k/status", {
      headers: { authorization: "Basic " + Buffer.from("me:" + password).toString("base64") },
    });
  const asked = await fetch(stack.kit + "/k/status");
  expect(asked.headers.get("www-authenticate")).toMatch(/^Basic realm=/);
  expect((await basic("wrong")).status).toBe(401);
  const page = await basic(stack.server_token);
  expect(page.status).toBe(200);
  expect(page.headers.get("content-security-policy")).toMatch(/default-src 'none'.*style-src 'sha256-/);
});

test("the page draws what the ledger says, under its own policy", async ({ page, context }) => {
  await start();
  await send(record("WEB-1"), record("WEB-2"));
  await expect.poll(total).toEqual({ ...none, accepted: 2, delivered: 2 });
  const problems = [];
  page.on("console", (message) => message.type() == "error" && problems.push(message.text()));
  await context.setHTTPCredentials({ username: "me", password: stack.server_token });
  await page.goto(stack.kit + "/k/status");
  await expect(page.getByRole("heading", { name: "Site main" })).toBeVisible();
  const cells = page.getByRole("row").last().getByRole("cell");
  await expect(cells).toHaveText([/\d+:00/, "2", "2", "0", "0", "0", "0", "0", "0"]);
  const bar = page.locator("svg rect.ok").first();
  expect(await bar.evaluate((node) => getComputedStyle(node).fill)).not.toBe("rgb(0, 0, 0)");
  expect(problems).toEqual([]);

  await expect(page.getByText("The platform's API is called as it is needed.")).toBeVisible();
  await stack.faults([{ status: 401, match: { path: "/api/v1" } }]);
  expect((await stack.api("GET /v1/account/info")).status).toBe(502);
  await page.reload();
  await expect(page.getByText("The platform's REST API refuses the key")).toBeVisible();
});

test("tables of the version before open with all that is in them", async () => {
  await start();
  await stack.faults([{ match: { event: "ProductPage" }, refuse: true }]);
  const first = record("WEB-1");
  await send(first, record("WEB-1", { ProductPage: { productKey: "1" } }, "ProductPage"));
  await expect.poll(total).toEqual({ ...none, accepted: 2, delivered: 1, dead: 1 });
  await stack.faults([{ down: true }]);
  await send(record("WEB-2"), record("WEB-2"), record("WEB-3"));
  await stack.order("kill-worker");
  database((db) => {
    for (const sql of [
      "DROP TABLE ledger",
      "DROP INDEX dead_message",
      "DROP INDEX dead_visitor",
      "DROP INDEX contact_visitor",
      "ALTER TABLE batch DROP COLUMN hour",
      "ALTER TABLE dead DROP COLUMN hour",
      "ALTER TABLE dead DROP COLUMN code",
      "UPDATE meta SET value = '1' WHERE name = 'version'",
    ])
      db.exec(sql);
  });
  await stack.order("start-worker");
  expect(await total()).toEqual({ ...none, accepted: 5, delivered: 1, pending: 3, dead: 1 });
  const { hours } = await ledger();
  expect(hours.every(({ balance }) => balance == 0)).toBe(true);
  expect(await send(first)).toEqual(["duplicate"]);
  await stack.faults();
  await expect
    .poll(total, { timeout: 40_000 })
    .toEqual({ ...none, accepted: 5, delivered: 4, dead: 1 });
  await ask("replay", { method: "POST" });
  await expect.poll(total).toEqual({ ...none, accepted: 5, delivered: 5 });
  // And a version that is not known yet stays as it is.
  await stack.order("kill-worker");
  const version = (value) =>
    database((db) => {
      db.prepare("UPDATE meta SET value = ? WHERE name = 'version'").run(value);
      return db.prepare("SELECT value FROM meta WHERE name = 'version'").get().value;
    });
  expect(version("2")).toBe("2");
});

test("the owner is told once that an event waits for too long, and once that none does", async () => {
  const told = [];
  let status = 500;
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    told.push(JSON.parse(Buffer.concat(parts)));
    response.writeHead(status).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}/`;
  try {
    await startRung({ outbox: { alarm: { address, oldest: 30 } } });
    await stack.faults([{ down: true }]);
    await send(record("WEB-1", { PageView: {}, GeneralInfo: { user_email: "ann@shop.example" } }));
    await ring();
    expect(told).toEqual([]);
    await stack.order("kill-worker");
    // Two hours ago.
    database((db) => {
      db.exec(`UPDATE batch SET received = received - ${2 * HOUR}`);
      db.exec("UPDATE ledger SET hour = hour - 2");
    });
    await stack.order("start-worker");
    await ring();
    expect(told.length).toBe(1);
    expect(told[0]).toMatchObject({ site: "main", kind: "late", state: "raised", pending: 1, limit_minutes: 30 });
    expect(JSON.stringify(told)).not.toContain("ann@");
    // It was not taken, so it comes again, and then no more.
    status = 204;
    for (let i = 0; i < 3; i++) await ring();
    expect(told.length).toBe(2);
    await stack.faults();
    await expect.poll(total, { timeout: 40_000 }).toEqual({ ...none, accepted: 1, delivered: 1 });
    for (let i = 0; i < 2; i++) await ring();
    expect(told.length).toBe(3);
    expect(told[2]).toMatchObject({ kind: "late", state: "over", pending: 0 });

    await stack.order("kill-worker");
    database((db) => db.exec(`UPDATE ledger SET counts = '{"accepted":2,"delivered":1}'`));
    await stack.order("start-worker");
    for (let i = 0; i < 2; i++) await ring();
    expect(told.length).toBe(4);
    expect(told[3]).toMatchObject({ kind: "unbalanced", state: "raised" });
    expect(told[3].hours).toEqual([expect.objectContaining({ accepted: 2, delivered: 1, balance: 1 })]);
  } finally {
    server.close();
  }
});

test("an alarm that is lost is set again by the cron", async () => {
  await startRung();
  const lose = (how) => fetch(stack.kit, { headers: { "lose-alarms": how } });
  await lose("yes");
  await send(record("WEB-1"));
  // It rings for nothing; nobody asks the outbox anything.
  await expect.poll(async () => (await lose("yes")).text()).not.toBe("0");
  expect(await stack.arrived(1, { within: 1000 })).toEqual([]);
  await lose("no");
  expect(await stack.arrived(1, { within: 1500 })).toEqual([]);
  await ring();
  expect((await stack.arrived(1)).length).toBe(1);
});

test("what a request reads does not grow with what is stored, nor is that kept for ever", async () => {
  await start();
  await send(record("WEB-1"));
  await stack.arrived(1);
  const read = async () => {
    const health = await (await fetch(stack.kit + "/k/health")).json();
    return health.sites.main.outbox[0].since_start.rows_read;
  };
  const cost = async () => {
    // Known and new visitors, each with a purchase of somebody known by an address.
    const visitors = ["WEB-1", "NEW-" + made, "NEWER-" + made];
    for (const sc of visitors) await send(record(sc));
    await expect.poll(async () => (await total()).pending).toBe(0);
    const before = await read();
    for (const sc of visitors) {
      const data = { PageView: {}, GeneralInfo: { user_email: `v${made}@shop.example` } };
      await send(record(sc, data), record(sc), record(sc));
    }
    const after = await read();
    await expect.poll(async () => (await total()).pending).toBe(0);
    return after - before;
  };
  await stack.order("kill-worker");
  const fill = (count, from) =>
    database((db) => {
      const time = Date.now() - from;
      db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
        INSERT INTO batch (web_id, first, last, received, ids, bodies, agent, count, position, attempts,
          next_at, unknown, hour)
        SELECT 'W-' || (i % 5000), ${time} + i, ${time} + i, ${time} + i, 'id-' || i, NULL, NULL, 1, 1, 0, 0, 0, 0 FROM n`);
      db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count / 10})
        INSERT OR IGNORE INTO visitor (web_id, state, updated) SELECT 'W-' || i, '{}', ${time} FROM n`);
      db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count / 10})
        INSERT OR IGNORE INTO contact (hash, web_id) SELECT 'h' || i, 'W-' || i FROM n`);
    });
  const rows = () => database((db) => db.prepare("SELECT count(*) AS count FROM batch").get().count);
  fill(1000, 24 * HOUR);
  await stack.order("start-worker");
  const few = await cost();
  await stack.order("kill-worker");
  fill(99_000, 23 * HOUR);
  await stack.order("start-worker");
  const many = await cost();
  expect(few).toBeGreaterThan(0);
  expect(many).toBeLessThanOrEqual(few + 10);

  // Ids are known for 14 days; what is older goes, a part with each pass.
  await stack.order("kill-worker");
  expect(rows()).toBeGreaterThan(100_000);
  database((db) => {
    db.exec(`DELETE FROM batch WHERE ids LIKE 'id-%' AND id % 100 != 0`);
    db.exec(`UPDATE batch SET received = received - ${15 * 24 * HOUR} WHERE ids LIKE 'id-%' AND id <= 50000`);
  });
  const left = () => database((db) => db.prepare("SELECT ids FROM batch WHERE ids LIKE 'id-%' AND received < ?").all(Date.now() - 14 * 24 * HOUR).length);
  const kept = () => database((db) => db.prepare("SELECT ids FROM batch WHERE ids LIKE 'id-%'").all().length);
  const before = kept() - left();
  await stack.order("start-worker");
  for (let i = 0; i < 4; i++) {
    await send(record("WEB-1"));
    await expect.poll(async () => (await total()).pending).toBe(0);
  }
  await stack.order("kill-worker");
  expect(left()).toBe(0);
  expect(kept()).toBe(before);
});

const program = fileURLToPath(new URL("../../target/debug/xtask", import.meta.url));
const xtask = (...words) =>
  promisify(execFile)(program, ["dead", "--address", stack.kit + "/k", ...words], {
    env: { ...process.env, KIT_SERVER_TOKEN: stack.server_token },
  });

test("dead events are listed, shown, exported, repeated and erased, by their ids", async () => {
  await start({ outbox: { shards: 2 } });
  await stack.faults([{ refuse: true }]);
  const records = Array.from({ length: 5 }, (_, i) => record("WEB-" + i));
  for (const one of records) await send(one);
  await expect.poll(total).toEqual({ ...none, accepted: 5, dead: 5 });
  const ids = records.map(({ id }) => id);

  const lines = (text) => text.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const exported = [];
  for (let next = ""; next != null; ) {
    const page = await ask("dead.ndjson?after=" + next);
    expect(page.headers.get("content-type")).toBe("application/x-ndjson");
    exported.push(...lines(page.text));
    next = page.headers.get("kit-next");
  }
  expect(exported.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(lines((await xtask("export")).stdout)).toEqual(exported);
  expect((await xtask("list")).stdout.trim().split("\n").length).toBe(5);
  const shown = JSON.parse((await xtask("show", ids[2])).stdout);
  expect(shown).toMatchObject({ id: ids[2], web_id: "WEB-2" });
  expect(shown.code).toMatch(/^http_4/);
  await expect(xtask("show", messageId())).rejects.toThrow(/no event of this id is dead there/);

  expect((await xtask("erase", ids[0])).stdout.trim()).toBe("1 erased");
  expect(await total()).toEqual({ ...none, accepted: 5, dead: 4, erased: 1 });
  await stack.faults();
  expect((await xtask("replay", ids[1], ids[2])).stdout.trim()).toBe("2 replayed");
  await expect.poll(total).toEqual({ ...none, accepted: 5, delivered: 2, dead: 2, erased: 1 });
  await expect(xtask("erase", ids[0])).rejects.toThrow(/1 of the ids are not dead there/);
  expect((await xtask("replay")).stdout.trim()).toBe("2 replayed");
  await expect.poll(total).toEqual({ ...none, accepted: 5, delivered: 4, erased: 1 });
  expect((await stack.events()).length).toBe(4);
});

test("what the commands cannot do they say in words", async () => {
  await start();
  const fails = (token, ...words) =>
    promisify(execFile)(program, ["dead", ...words], { env: { ...process.env, KIT_SERVER_TOKEN: token } });
  await expect(fails("", "list", "--address", stack.kit + "/k")).rejects.toThrow(/set KIT_SERVER_TOKEN/);
  const wrong = "another-token-of-nobody";
  await expect(fails(wrong, "list", "--address", stack.kit + "/k")).rejects.toThrow(/does not know the token/);
  await expect(fails(stack.server_token, "list", "--address", stack.kit)).rejects.toThrow(/with its path/);
  await expect(fails(stack.server_token, "list", "--address", "http://127.0.0.1:1/k")).rejects.toThrow(/cannot be reached/);
});
