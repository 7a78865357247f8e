// Outboxes as released versions wrote them, for tests of what today's build makes of them. A version that is
// superseded gets its entry here, with its tables as they were; none is ever changed.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { messageId } from "./records.js";

/** Opens the file of the one outbox of a stack whose Worker is stopped. */
export const openStore = (stack) => {
  const folder = join(stack.folder, "objects/outbox");
  const [name, ...others] = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  if (!name || others.length) throw new Error("there is not one outbox alone");
  const db = new DatabaseSync(join(folder, name));
  const names = () =>
    db
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'")
      .all()
      .map(({ name }) => name)
      .sort();
  return {
    db,
    version: () => Number(db.prepare("SELECT value FROM meta WHERE name = 'version'").get().value),
    /** Every row of every table. */
    dump: () => names().map((name) => [name, db.prepare(`SELECT * FROM "${name}"`).all()]),
    /** Puts what another version wrote in the place of everything. */
    replace: (sql) => {
      for (const name of names()) db.exec(`DROP TABLE "${name}"`);
      // The alarm was that of another store.
      db.exec("DELETE FROM _cf_METADATA");
      db.exec(sql);
    },
    close: () => db.close(),
  };
};

const text = (value) => `'${(typeof value == "string" ? value : JSON.stringify(value)).replaceAll("'", "''")}'`;

/** What is in each of them. Ann has looked around, filled a cart and ordered; Bob has only looked around. */
export const makeContent = (now) => {
  let moment = now - 60_000;
  const event = (sc, name, more) => ({
    GeneralInfo: { eventName: name, siteId: "8A412DC", datetime: moment++, cookies: { sc } },
    [name]: {},
    ...more,
  });
  const product = (sc, key) => event(sc, "ProductPage", { ProductPage: { Product: { productKey: key } } });
  const ids = (count) => Array.from({ length: count }, (_, index) => messageId(now - 50_000 + index));
  return {
    ann: "A0000000-0000-4000-8000-000000000001",
    bob: "B0000000-0000-4000-8000-000000000002",
    guid: "0a7f2c1e-5f3b-4c1d-8e2a-6b9d0c4f1a11",
    // Delivered, but for the last, which is refused.
    done: ids(4),
    // The first is delivered. Whether the second is, is not known. The last has no body.
    begun: { ids: ids(4), bodies: ["a-1", "a-2", "a-3"].map((key) => product("A-…", key)) },
    pending: { ids: ids(1), bodies: [product("A-…", "a-4")] },
    // As the object's progress says, the first is delivered.
    noted: { ids: ids(2), bodies: ["b-1", "b-2"].map((key) => product("B-…", key)) },
    dead: product("A-…", "a-0"),
  };
};

const version1 = (now) => {
  const content = makeContent(now);
  const { ann, bob, guid, done, begun, pending, noted, dead } = content;
  const batch = (id, sc, { ids, bodies }, { position = 0, attempts = 0, unknown = 0 } = {}) => {
    const whose = JSON.stringify(bodies).replaceAll(/[AB]-…/g, sc);
    const written = position < bodies.length ? text(whose) : "NULL";
    const agent = position < bodies.length ? "'Browser/1.0'" : "NULL";
    return `INSERT INTO batch VALUES (${id}, ${text(sc)}, ${now - 50_000}, ${now - 49_990}, ${now - 40_000},
      ${text(ids.join(" "))}, ${written}, ${agent}, ${bodies.length}, ${position}, ${attempts}, 0, ${unknown});`;
  };
  const visitor = {
    moments: [{ at: now - 55_000, identity: [["user_email", "ann@shop.example"]] }],
    hint: null,
    blocks: [],
    cart: { at: now - 54_000, guid, content: "096e2667b11eccb6baf4a99aca10a387", filled: guid },
    submitted: null,
    orders: [{ at: now - 53_000, text: "order-1" }],
    guids: [[guid, "096e2667b11eccb6baf4a99aca10a387"]],
  };
  const body = JSON.stringify(dead).replaceAll("A-…", ann);
  const sql = `
CREATE TABLE IF NOT EXISTS batch (
  id INTEGER PRIMARY KEY, web_id TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  received INTEGER NOT NULL, ids TEXT NOT NULL, bodies TEXT, agent TEXT,
  count INTEGER NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL,
  next_at INTEGER NOT NULL, unknown INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS batch_visitor ON batch (web_id, last);
CREATE INDEX IF NOT EXISTS batch_open ON batch (id) WHERE position < count;
CREATE TABLE IF NOT EXISTS visitor (
  web_id TEXT PRIMARY KEY, state TEXT NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contact (
  hash TEXT NOT NULL, web_id TEXT NOT NULL, PRIMARY KEY (hash, web_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, web_id TEXT NOT NULL, body TEXT NOT NULL,
  agent TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
${batch(1, ann, { ids: done, bodies: [1, 2, 3, 4] }, { position: 4 })}
${batch(2, ann, begun, { position: 1, attempts: 2, unknown: 1 })}
${batch(3, ann, pending)}
${batch(4, bob, noted)}
INSERT INTO visitor VALUES (${text(ann)}, ${text(visitor)}, ${now - 40_000});
INSERT INTO contact VALUES ('551eceefa99f9bbeb0d100fd38126ba6b16a90d95dad7f36830b0c847dfe07a8', ${text(ann)});
INSERT INTO dead VALUES (1, ${text(done[3])}, ${text(ann)}, ${text(body)}, 'Browser/1.0', 400, 'wrong body', ${now - 39_000});
INSERT INTO meta VALUES ('version', '1'), ('salt', '3c5553430ef2156974d006f79aa1508d'), ('progress', '{"4":[1,false]}');
`;
  return { sql, ...content };
};

/** By version: makes a store with everything in it that there can be, as it would be now. */
export const STORES = { 1: version1 };
