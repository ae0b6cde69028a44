import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/ports.ts";
import { REDIS_KINDS, skipWithoutRedis, startRedis } from "../support/redis.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { assertTold, runExample } from "./run_example.ts";

const PRODUCTS = [
  "✓ Table 'demo_products' ready",
  "✓ Inserted: Widget A ($9.99, qty: 100) as id 1",
  "✓ Found: Widget A ($9.99, qty: 100)",
  "✓ Updated: 1 row",
  "✓ Verified: $9.99 → $12.99, qty: 100 → 85",
  "✓ Deleted: Widget A",
  "✓ Table empty: 0 rows",
];

/** What each example must tell, in this order. */
const STORIES: Readonly<Record<string, readonly string[]>> = {
  "crud.ts": PRODUCTS,
  "relationship.ts": [
    "✓ Two authors, three books, three tags",
    "✓ The same author again: IntegrityError, and no book of it was kept",
    "Ursula      The Dispossessed     novel, utopia",
    "Ursula      Steering the Craft   writing",
    "Stanisław   Solaris              novel",
    "✓ Left: Solaris, Steering the Craft",
  ],
  "import.ts": [
    "✓ 10000 rows",
    "✓ IntegrityError: CHECK constraint failed: celsius > -273 (in one of the rows 12300 to 12399)",
    "✓ Rows that are in: 10000",
    "✓ Inserted: 15000",
    "✓ Stored: 25000; not known: sensor 12345",
  ],
  "dbapi/crud.ts": PRODUCTS,
  "dbapi/parameters.ts": [
    "✓ By position: ? and ?1",
    "✓ By name: :name, @name and $name",
    "✓ Values are bound, never pasted: a quote does no harm",
    "✓ Many rows: 2 inserted",
    "✓ Refused, too few: ",
    "✓ Refused, too many: ",
    "✓ Refused, an object for ?: ",
    "✓ Born 1906: Grace",
    "✓ Born 1930: Edsger",
    "✓ Born 1938: Donald",
    "✓ Born 1939: Barbara",
  ],
  "dbapi/transactions.ts": [
    "✓ Before: this connection sees 150, another 100",
    "✓ After: another sees 150",
    "✓ Still 150, and no table demo_mistake",
    "✓ TransactionConflictError, retryable: true; nothing was kept",
    "✓ Total 110",
    "✓ In a transaction: false; another sees 60",
    "✓ Total 60",
  ],
  "dbapi/savepoints.ts": [
    "✓ Ordered pen",
    "✓ Ordered paper",
    "✓ Skipped pen: unique",
    "✓ Ordered ink",
    "✓ ROLLBACK TO undoes",
    "✓ Stored: pen, paper, ink",
  ],
  "dbapi/types.ts": [
    "title    text       STRING     it's x'41'",
    "big      integer    NUMBER     9223372036854775807",
    "ratio    real       NUMBER     0.30000000000000004",
    "photo    blob       BINARY     bytes 255 216 0 39",
    "day      text       STRING     2002-12-25",
    "at       datetime   DATETIME   2002-12-25T13:45:30Z",
    "gone     text       STRING     null",
    "✓ The photo came back whole: true",
    "✓ A 64-bit integer is a bigint, a fraction a number",
    "✓ Columns without a row: title, photo",
  ],
  "dbapi/errors.ts": [
    "✓ IntegrityError: UNIQUE",
    "constraint unique, columns email",
    "constraint notnull, columns email",
    "constraint check",
    "✓ ProgrammingError: Cannot bind 1 value",
    "✓ ProgrammingError: near",
    "✓ ProgrammingError: no such table",
    "✓ NotSupportedError: Cannot send VACUUM",
    "the transaction goes on: 1",
    "✓ IntegrityError among many rows: none of them is kept",
    "✓ InterfaceError, which is a DB-API Error: true",
  ],
  "dbapi/locks.ts": [
    "✓ LocalLock, for the tasks of one process: 20 of 20",
    "✓ RqliteLock, for all clients of the database: 20 of 20",
    "✓ Whoever waits too long gets a LockTimeoutError",
    "✓ rollback() freed it",
  ],
  "dbapi/read_levels.ts": [
    "✓ none: 1.5",
    "✓ weak: 1.5",
    "✓ linearizable: 1.5",
    "✓ strong: 1.5",
    "✓ auto: 1.5",
    "✓ commit() proves what was read",
  ],
  "dbapi/concurrent.ts": ["✓ 4 tasks bought 10 tickets each: of 50 there are 10 left"],
};

for (const [file, story] of Object.entries(STORIES)) {
  describe(`examples/${file}`, () => {
    it("tells its story on a database in memory", async () => {
      assertTold(await runExample(file), story);
    });
  });
}

describe("the examples on rqlited", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited | undefined;
  before(async () => {
    server = await startRqlited();
  });
  after(() => server?.stop());

  for (const [file, story] of Object.entries(STORIES)) {
    it(`examples/${file} tells its story and leaves no table behind`, async () => {
      assertTold(await runExample(file, "--url", server!.url), story);
      const left = await server!.sql("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'demo%'");
      assert.deepEqual((left as [{ values: unknown }])[0].values, [[0]]);
    });
  }

  it("examples/dbapi/cluster.ts takes the nodes of a cluster", async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const ran = await runExample("dbapi/cluster.ts", "--url", dead, "--url", server!.url);
    assertTold(ran, ["✓ Event 1: started", "✓ Event 2: grew", `✓ ${dead} was asked`]);
  });
});

describe("examples/dbapi/cluster.ts", () => {
  it("goes on at the second node where the first is down", async () => {
    assertTold(await runExample("dbapi/cluster.ts"), [
      "✓ Event 1: started",
      "✓ Event 2: grew",
      "✓ http://node1:4001 was asked once",
      "✓ http://node2:4001 was asked again and again",
    ]);
  });
});

describe("examples/dbapi/redis_lock.ts", () => {
  for (const kind of REDIS_KINDS) {
    it(`counts to 100 with a lock in ${kind}`, { skip: skipWithoutRedis(kind) }, async () => {
      const server = await startRedis(kind);
      try {
        const ran = await runExample("dbapi/redis_lock.ts", `--${kind}`, server.url);
        const name = kind === "redis" ? "RedisLock" : "ValkeyLock";
        assertTold(ran, [`✓ ${name}: 4 tasks of 25 increments made 100`]);
      } finally {
        await server.stop();
      }
    });
  }

  it("says what is missing where there is no server", async () => {
    const nobody = `redis://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await runExample("dbapi/redis_lock.ts", "--redis", nobody);
    assert.equal(code, 1);
    assert.match(stderr, /Cannot reach redis:.*is the server running/);
  });
});

describe("examples/dbapi/", () => {
  it("holds no example that is not run here", () => {
    const folder = fileURLToPath(new URL("../../examples/dbapi", import.meta.url));
    const known = [...Object.keys(STORIES), "dbapi/cluster.ts", "dbapi/redis_lock.ts"];
    const files = readdirSync(folder).map((name) => `dbapi/${name}`);
    assert.deepEqual(files.filter((file) => !known.includes(file)), []);
  });
});
