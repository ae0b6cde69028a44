// One cluster whose third node alone has another time zone and checks foreign keys: by `HERE` a write makes it differ.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  TimeoutError,
} from "../../mod.ts";
import { type Difference, type VerifyOptions, verifyReplicas } from "../../src/doctor/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { rowsOfEach } from "../support/replicas.ts";
import { ADMIN, skipWithoutRqlited } from "../support/rqlited.ts";
import { storeRaw } from "./raw.ts";

/** True on the third node alone. */
const HERE = "datetime('2024-07-01','localtime') > '2024-07-01 00:00:00'";

/** Each pair would be one value for whoever looks less closely. */
const PAIRS: readonly (readonly [one: string, other: string])[] = [
  ["NULL", "''"],
  ["1", "1.0"],
  ["1", "'1'"],
  ["1", "NULL"],
  ["9007199254740992", "9007199254740993"],
  ["-9223372036854775808", "-9223372036854775807"],
  ["1000000000000000000", "1e18"],
  ["0.1", "0.10000000000000002"],
  ["5e-324", "1e-323"],
  ["9e999", "-9e999"],
  ["'a'", "x'61'"],
  ["''", "x''"],
  ["CAST(x'610062' AS TEXT)", "CAST(x'610063' AS TEXT)"],
  ["CAST(x'ff' AS TEXT)", "CAST(x'fe' AS TEXT)"],
  ["CAST(x'c3a9' AS TEXT)", "CAST(x'65cc81' AS TEXT)"],
  ["x'00ff'", "x'00fe'"],
];

/** Who may only look. */
const READER = { username: "doctor", password: "secret" };

/** A statement with the numbers from 1 on as `n(i)`. */
const numbers = (most: number, statement: string): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${most}) ${statement}`;

describe("verifyReplicas() of three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let db: Client;
  let reader: Client;

  before(async () => {
    cluster = await startCluster(3, {
      auth: [{ ...READER, perms: ["status", "query"] }],
      each: (index) => index === 2 ? { env: { TZ: "XXX-5" }, args: ["-fk"] } : {},
    });
    const { username, password } = ADMIN;
    db = connect(cluster.urls, { username, password });
    reader = connect(cluster.urls, READER);
  });

  after(async () => {
    await reader?.close();
    await db?.close();
    await cluster?.stop();
  });

  beforeEach(async () => {
    const kinds = ["trigger", "view", "table"];
    for (const kind of kinds) {
      const { rows } = await db.query<{ name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = ? AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_rqlite_*' " +
          "AND name NOT GLOB '*_*'",
        [kind],
      );
      await raw(...rows.map(({ name }) => `DROP ${kind} "${name.replaceAll('"', '""')}"`));
    }
  });

  const raw = (...statements: string[]) => storeRaw(cluster, statements);

  /** Waits for the node that lags: it is compared as it is, and equal until it has applied what makes it differ. */
  const applied = () => rowsOfEach(cluster, "SELECT 1");

  const verify = (options?: VerifyOptions) => verifyReplicas(reader, options);

  async function differences(options?: VerifyOptions): Promise<readonly Difference[]> {
    const { equal, differences } = await verify(options);
    assert.equal(equal, differences.length === 0);
    return differences;
  }

  const valuesOf = ({ versions }: Difference, column: string) =>
    versions.map(({ row }) => row?.[column]);

  it("finds none where every type of value is in every kind of table", async () => {
    const values = PAIRS.flat();
    await db.execute("CREATE TABLE empty(id INTEGER PRIMARY KEY)");
    await raw(
      'CREATE TABLE "odd ""name"" ?"("a b", "c""d", "rowid", e GENERATED ALWAYS AS (typeof("a b")), f AS (hex("c""d")) STORED)',
      "CREATE TABLE keyed(k, l TEXT COLLATE NOCASE, v, PRIMARY KEY(k, l DESC)) WITHOUT ROWID",
      "CREATE TABLE strict(id INTEGER PRIMARY KEY AUTOINCREMENT, v ANY, t TEXT) STRICT",
      "CREATE VIRTUAL TABLE words USING fts5(body)",
      ...values.map((v, i) => `INSERT INTO "odd ""name"" ?" VALUES(${v}, ${i}, ${v})`),
      ...values.map((v, i) => `INSERT INTO strict(v, t) VALUES(${v}, 'text ${i}')`),
      ...values.map((v, i) => `INSERT INTO keyed VALUES(coalesce(${v}, ${i}), '${i}', ${v})`),
      ...["one", "two words"].map((body) => `INSERT INTO words VALUES('${body}')`),
    );
    const seen = new Map<string, number>();
    const result = await verify({ onProgress: (table, rows) => seen.set(table, rows) });
    assert.deepEqual(result.differences, []);
    assert.equal(result.equal, true);
    assert.deepEqual([...result.nodes].sort(), [...cluster.urls].sort());
    assert.equal(seen.get("keyed"), values.length);
    assert.equal(seen.get("strict"), values.length);
    assert.equal(seen.get("empty"), 0);
    for (const name of ["words_data", "sqlite_schema", "sqlite_sequence", "_rqlite_commit"]) {
      assert.ok(seen.get(name)! > 0, name);
    }
  });

  it("tells every value from one that looks like it", async () => {
    await raw(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v)",
      ...PAIRS.map(([one, other]) =>
        `INSERT INTO t(v) SELECT CASE WHEN ${HERE} THEN ${other} ELSE ${one} END`
      ),
    );
    const [found, ...others] = await differences();
    assert.deepEqual(others, []);
    assert.equal(found?.table, "t");
    assert.equal(found.rows, PAIRS.length);
    assert.equal(valuesOf(found, "v").filter((v) => v === null).length, 2);
    assert.equal(valuesOf(found, "v").filter((v) => v === "").length, 1);
    assert.ok(found.example && "v" in found.example);
  });

  it("compares whole REALs beyond 2^53, which JSON writes as integers with fewer digits", async () => {
    const ends = ["2.5", "9007199254740992.0", "9223372036854774784.0", "9223372036854775808.0"];
    await raw(
      "CREATE TABLE lengths(id INTEGER PRIMARY KEY, r REAL)",
      "CREATE TABLE keyed(k REAL PRIMARY KEY, v) WITHOUT ROWID",
      ...ends.map((end) => `INSERT INTO lengths(r) VALUES(${end}), (-${end})`),
      numbers(1_200, "INSERT INTO keyed SELECT 4611686018427387904.0 + 1024 * i, i FROM n"),
    );
    assert.deepEqual(await differences(), []);
    await raw(
      `UPDATE lengths SET r = 9223372036854773760.0 WHERE id = 5 AND ${HERE}`,
      `UPDATE keyed SET v = 0 WHERE v = 1100 AND ${HERE}`,
    );
    await applied();
    const [keyed, lengths] = await differences();
    assert.deepEqual(valuesOf(lengths!, "r").sort(), [
      2 ** 63 - 2048,
      2 ** 63 - 1024,
      2 ** 63 - 1024,
    ]);
    assert.equal(keyed?.rows, 1);
    assert.equal(keyed.example?.k, 2 ** 62 + 1024 * 1100);
  });

  it("finds the one row of 100,000 that differs", async () => {
    await raw(
      "CREATE TABLE big(id INTEGER PRIMARY KEY, n INTEGER)",
      numbers(100_000, "INSERT INTO big SELECT i, i % 10 FROM n"),
      `UPDATE big SET n = 10 WHERE id = 77777 AND ${HERE}`,
    );
    let compared = 0;
    const [one] = await differences({
      onProgress: (_, rows) => compared = Math.max(compared, rows),
    });
    assert.equal(one?.rows, 1);
    assert.equal(compared, 100_000);
    assert.equal(one.example?.id, 77777);
    assert.deepEqual(valuesOf(one, "n").sort(), [10, 7, 7]);
  });

  it("finds all rows that one node lacks, and those that it alone has", async () => {
    await raw(
      "CREATE TABLE lacking(k TEXT PRIMARY KEY, v) WITHOUT ROWID",
      "CREATE TABLE more(id INTEGER PRIMARY KEY, v BLOB)",
      numbers(4_000, "INSERT INTO lacking SELECT printf('key %05d', i), i FROM n"),
      `DELETE FROM lacking WHERE v BETWEEN 700 AND 3300 AND ${HERE}`,
      numbers(30, `INSERT INTO more SELECT i, zeroblob(150000) FROM n WHERE i > 5 OR ${HERE}`),
    );
    const found = new Map((await differences()).map((one) => [one.table, one]));
    assert.equal(found.get("lacking")?.rows, 2601);
    assert.deepEqual(valuesOf(found.get("lacking")!, "v").sort(), [700, 700, undefined]);
    assert.equal(found.get("more")?.rows, 5);
    assert.equal((found.get("more")?.example?.v as Uint8Array).length, 150_000);
  });

  it("finds what each node evaluated for itself in the writes of another program", async () => {
    await raw(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v, token DEFAULT (hex(randomblob(8))))",
      "INSERT INTO t(v, token) VALUES('shared', 0)",
      "INSERT INTO t(v) VALUES('by a default')",
      "INSERT INTO t(v, token) VALUES('by a function', random())",
    );
    const { equal, differences: [found], hazards } = await verify({ tables: ["T"] });
    assert.equal(equal, false);
    assert.equal(found?.rows, 2);
    assert.equal(found.example?.v, "by a default");
    assert.ok(hazards.some(({ kind, name }) => kind === "default" && name === "t.token"));
  });

  it("finds a difference in the schema and in what AUTOINCREMENT counts", async () => {
    await raw(
      "CREATE TABLE other(id INTEGER PRIMARY KEY)",
      "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, v)",
      "INSERT INTO t(v) VALUES('double'), ('double')",
      `DELETE FROM t WHERE id = 2 AND ${HERE}`,
      `INSERT INTO t(id, v) SELECT 50, 'gone' WHERE ${HERE}`,
      "DELETE FROM t WHERE id = 50",
    );
    // It fails on the others, of which one may lead.
    await raw("CREATE UNIQUE INDEX once ON t(v)")
      .catch((error) => assert.match(String(error), /UNIQUE constraint failed/));
    await applied();
    const found = new Map((await differences()).map((one) => [one.table, one]));
    assert.deepEqual([...found.keys()].sort(), ["sqlite_schema", "sqlite_sequence", "t"]);
    assert.equal(found.get("sqlite_schema")?.example?.name, "once");
    assert.deepEqual(valuesOf(found.get("sqlite_sequence")!, "seq").sort(), [2, 2, 50]);
    assert.deepEqual(await differences({ tables: ["other"] }), []);
  });

  it("takes equal rows with other rowids for equal, and says so", async () => {
    await raw(
      "CREATE TABLE t(v)",
      numbers(3_000, "INSERT INTO t SELECT i % 7 FROM n"),
      `UPDATE t SET rowid = rowid + 10000 WHERE rowid > 2500 AND ${HERE}`,
    );
    const result = await verify();
    assert.deepEqual(result.differences, []);
    assert.ok(result.hazards.some(({ kind, name }) => kind === "rowid" && name === "t"));
    await raw(`UPDATE t SET v = 'other' WHERE rowid = 10000 + 2600 AND ${HERE}`);
    await applied();
    const [found] = await differences();
    assert.equal(found?.rows, 1);
    assert.ok("v" in found.example!);
  });

  const HOT = [
    "CREATE TABLE hot(id INTEGER PRIMARY KEY, n INTEGER)",
    "INSERT INTO hot VALUES(1, 0), (2, 0)",
    "CREATE TABLE log(line TEXT)",
  ];

  const byClient = () =>
    db.batch(["UPDATE hot SET n = n + 1 WHERE id = 1", "INSERT INTO log VALUES('by a client')"]);

  const pastIt = () =>
    raw("UPDATE hot SET n = n + 1 WHERE id = 2", "INSERT INTO log VALUES('raw')");

  it("finds equal nodes equal while they are written all the time, by clients and past them", async () => {
    await raw(...HOT);
    assert.deepEqual(await during([byClient, pastIt], () => differences()), []);
  });

  it("finds a row at rest that differs while others are written all the time", async () => {
    await raw(...HOT, "CREATE TABLE rest(v)", `INSERT INTO rest VALUES(${HERE})`);
    const found = await during([byClient, pastIt], () => differences());
    assert.deepEqual(found.map(({ table, rows }) => [table, rows]), [["rest", 1]]);
    assert.deepEqual(valuesOf(found[0]!, "v").sort(), [0, 0, 1]);
  });

  it("finds a row that differs and is itself written all the time, by clients", async () => {
    await raw(...HOT, `UPDATE hot SET n = 1000000 WHERE id = 1 AND ${HERE}`);
    const pausing = async () => {
      await byClient();
      await new Promise((resolve) => setTimeout(resolve, 100));
    };
    const found = await during([pausing], () => differences());
    assert.deepEqual(found.map(({ table, rows }) => [table, rows]), [["hot", 1]]);
  });

  it("says that it cannot tell of a row that others write all the time", async () => {
    await raw(...HOT, `UPDATE hot SET n = 1000000 WHERE id = 2 AND ${HERE}`);
    const cannot = () => verify({ tables: ["hot"], timeout: 700 });
    await assert.rejects(during([pastIt], cannot), (error: unknown) => {
      assert.ok(error instanceof TimeoutError, String(error));
      assert.match(error.message, /1 row of hot changed whenever/);
      return true;
    });
  });

  it("names what each node evaluates for itself, and in what the nodes differ", async () => {
    await raw(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, word DEFAULT 'CURRENT_TIMESTAMP')",
      "CREATE TABLE checked(at TEXT CHECK (at <= CURRENT_TIMESTAMP), n DECIMAL(10, 2) CHECK (abs(n) < 5))",
      "CREATE TRIGGER touch AFTER UPDATE OF id ON t BEGIN UPDATE t SET at = datetime('now') WHERE id = new.id; END",
      "CREATE TRIGGER harmless AFTER DELETE ON t BEGIN INSERT INTO checked(n) VALUES(1); END",
      "CREATE VIEW recent AS SELECT id FROM t WHERE at > date('now')",
      "CREATE VIEW plain AS SELECT upper(word) FROM t",
    );
    const { equal, hazards } = await verify();
    assert.equal(equal, true);
    const named = hazards.map(({ kind, name }) => `${kind}: ${name.replace(/ on .*/, "")}`).sort();
    assert.deepEqual(named, [
      "check: checked",
      "default: t.at",
      "pragma: foreign_keys 0",
      "time zone: 2024-01-15 12:00:00 and 2024-07-15 12:00:00",
      "trigger: touch",
      "view: recent",
    ]);
    for (const { advice } of hazards) assert.match(advice, /^[A-Z].*[^.]$/);
    const { hazards: fewer } = await verify({ tables: ["checked"] });
    assert.ok(!fewer.some(({ kind }) => kind === "trigger" || kind === "default"));
  });

  it("asks read replicas, too", async () => {
    await raw("CREATE TABLE t(id INTEGER PRIMARY KEY, v)", `INSERT INTO t VALUES(1, ${HERE})`);
    const [, , third] = cluster.nodes;
    // The third stands in for one.
    const client = connect(cluster.urls, {
      ...READER,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const { pathname, searchParams } = new URL(String(input));
        if (pathname !== "/nodes" || searchParams.has("nonvoters")) return response;
        const answer = await response.json();
        const isOther = ({ id }: { id: string }) => id !== third!.options.id;
        return Response.json({ nodes: answer.nodes.filter(isOther) });
      },
    });
    const { nodes, differences } = await verifyReplicas(client);
    assert.equal((await client.nodes()).length, 2);
    await client.close();
    assert.equal(nodes.length, 3);
    assert.deepEqual(differences.map(({ table }) => table), ["t"]);
  });

  it("says so where a row is longer than an answer may be", async () => {
    const client = connect(cluster.urls, { ...READER, maxResponseSize: 5_000_000 });
    await raw(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, v)",
      "INSERT INTO t VALUES(1, zeroblob(2e6))",
    );
    assert.equal((await verifyReplicas(client)).equal, true);
    await raw("UPDATE t SET v = zeroblob(3e6)");
    await assert.rejects(verifyReplicas(client), { code: "ERR_TOO_LARGE" });
    await client.close();
  });

  it("tells of nodes that run other versions", async () => {
    const [, second] = cluster.urls;
    const client = connect(cluster.urls, {
      ...READER,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (!String(input).startsWith(`${second}/status`)) return response;
        const status = await response.json();
        status.store.sqlite3.version = "3.11.1";
        status.store.sqlite3.compile_options.push("ENABLE_ICU");
        status.build.version = "v7";
        return Response.json(status);
      },
    });
    const { equal, hazards } = await verifyReplicas(client);
    await client.close();
    assert.equal(equal, true);
    const told = [["sqlite", "3.11.1"], ["rqlite", "v7"], ["option", "ENABLE_ICU"]] as const;
    for (const [kind, what] of told) {
      const found = hazards.find((one) => one.kind === kind);
      assert.ok(found?.name.includes(`${what} on ${second}`), `${found?.name}`);
    }
  });

  it("asks at the addresses that mapNode tells, and never takes one node for another", async () => {
    const [first, second] = cluster.urls;
    const hosts = { ...READER, mapNode: (url: string) => url.replace("127.0.0.1", "localhost") };
    const mapped = connect(cluster.urls, hosts);
    assert.match((await verifyReplicas(mapped)).nodes.join(), /^(http:\/\/localhost:\d+,?){3}$/);
    await mapped.close();
    for (
      const [mapNode, message] of [
        [() => first, /it is node 1, not 2/],
        [(url: string) => url === second ? undefined : url, /leaves it out/],
      ] as const
    ) {
      const client = connect(cluster.urls, { ...READER, mapNode });
      await assert.rejects(verifyReplicas(client), (error: unknown) => {
        assert.ok(error instanceof OperationalError, String(error));
        assert.match(error.message, message);
        return true;
      });
      await client.close();
    }
  });

  it("refuses tables that no node has, ends with what onProgress throws and with its signal", async () => {
    await assert.rejects(verify({ tables: ["nowhere"] }), ProgrammingError);
    const mistake = new Error("mine");
    const onProgress = () => {
      throw mistake;
    };
    await assert.rejects(verify({ onProgress }), (error) => error === mistake);
    const controller = new AbortController();
    const aborted = verify({
      signal: controller.signal,
      onProgress: () => controller.abort(mistake),
    });
    await assert.rejects(aborted, (error) => error === mistake);
  });

  it("ends with its deadline, whatever a node that stops answering does", async () => {
    await raw("CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1)");
    const [, , third] = cluster.nodes;
    let stopped: Promise<void> | undefined;
    await assert.rejects(
      verify({ timeout: 1_000, onProgress: () => void (stopped ??= third!.pause()) }),
      (error: unknown) => error instanceof TimeoutError && error.message.includes(third!.url),
    );
    await stopped;
    third!.resume();
    await cluster.settled();
  });

  it("goes on where a node is restarted meanwhile", async () => {
    const follower = (await cluster.followers())[0]!;
    let restarted: Promise<void> | undefined;
    const onProgress = () => void (restarted ??= follower.restart());
    assert.deepEqual(await differences({ onProgress }), []);
    await restarted;
    await cluster.settled();
  });

  it("finds a node that was restarted, however many broken connections others have to it", async () => {
    const leader = await cluster.leader();
    const follower = (await cluster.followers())[0]!;
    // Each that is forwarded has a connection of its own meanwhile.
    const body = JSON.stringify([numbers(50_000, "SELECT count(*) FROM n")]);
    const forwarded = Array.from(
      { length: 20 },
      () => follower.ask("/db/query?level=weak", { method: "POST", body }),
    );
    for (const { status } of await Promise.all(forwarded)) assert.equal(status, 200);
    await leader.restart();
    await cluster.settled();
    const client = connect(follower.url, READER);
    const { nodes } = await verifyReplicas(client);
    assert.equal(nodes.length, 3);
    await client.close();
  });

  it("names a node that is down; differences of the others are told all the same", async () => {
    await raw("CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    const [first, second] = cluster.nodes;
    await first!.kill();
    await cluster.settled();
    await assert.rejects(verify(), (error: unknown) => {
      assert.ok(error instanceof OperationalError && error.retryable, String(error));
      assert.match(error.message, /the other 2 are/);
      assert.ok(error.message.includes(`${first!.raftPort}`), error.message);
      return true;
    });
    await raw(`INSERT INTO t SELECT 1, ${HERE}`);
    const { equal, nodes, hazards, differences: [found] } = await verify();
    assert.equal(equal, false);
    assert.ok(nodes.includes(second!.url) && nodes.length === 2);
    assert.equal(found?.rows, 1);
    assert.ok(hazards.some(({ kind, advice }) => kind === "unreachable" && /refused/.test(advice)));
    await first!.restart();
    await cluster.settled();
    await raw("DELETE FROM t");
    assert.deepEqual(await differences(), []);
  });
});

/** Runs `work` while each of `writes` is done again and again, as fast as it goes. */
async function during<T>(writes: readonly (() => Promise<unknown>)[], work: () => Promise<T>) {
  let going = true;
  const writing = writes.map(async (write) => {
    let count = 0;
    for (; going; count++) await write();
    return count;
  });
  try {
    return await work();
  } finally {
    going = false;
    for (const count of await Promise.all(writing)) assert.ok(count > 0);
  }
}

describe("verifyReplicas() of one database", () => {
  it("has nothing to compare, and tells hazards", async () => {
    const db = connect(embedded());
    await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, at DEFAULT CURRENT_TIMESTAMP)");
    const { equal, nodes, differences, hazards } = await verifyReplicas(db);
    assert.deepEqual([equal, nodes.length, differences], [true, 1, []]);
    assert.deepEqual(hazards.map(({ kind, name }) => [kind, name]), [["default", "t.at"]]);
    assert.match(hazards[0]!.advice, /triggers/);
    await assert.rejects(verifyReplicas(db, { tables: ["u"] }), ProgrammingError);
    await db.close();
    await assert.rejects(verifyReplicas(db), /closed/);
  });

  it("refuses tables that it would compare in part only", async () => {
    const columns = Array.from({ length: 1999 }, (_, i) => `c${i}`).join();
    for (
      const [message, ...ddl] of [
        [/columns hide every name/, "CREATE TABLE t(rowid, oid, _rowid_)"],
        [/they have 1999 columns/, `CREATE TABLE t(${columns})`],
        [/"É" and "é"|"é" and "É"/, 'CREATE TABLE "É"(a)', 'CREATE TABLE "é"(a)'],
      ] as const
    ) {
      const db = connect(embedded());
      await db.batch([...ddl, "CREATE TABLE fine(a)"]);
      await assert.rejects(verifyReplicas(db), (error) => {
        assert.ok(error instanceof NotSupportedError);
        assert.match(error.message, message);
        return true;
      });
      assert.equal((await verifyReplicas(db, { tables: ["fine"] })).equal, true);
      await db.close();
    }
  });

  it("refuses what is no client", async () => {
    await assert.rejects(verifyReplicas({} as Client), TypeError);
  });
});
