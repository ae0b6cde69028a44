// What migrate() and status() do: each migration once, all of it or nothing, in order, there and back.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  connect,
  IntegrityError,
  LockTimeoutError,
  NotSupportedError,
  ProgrammingError,
  type Statement,
  TimeoutError,
} from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { migrate, type MigrationSource, status } from "../../src/migrate/mod.ts";
import { PLACES, type World } from "../transaction/world.ts";
import { OPEN } from "./open_lock.ts";

const TABLE = "rqlite_migrations";

/** Makes a table, and a row that would be there twice if this ran twice. */
const USERS: MigrationSource = {
  name: "0001_users",
  sql: `
    CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
    INSERT INTO users(name) VALUES('Ada');
  `,
  down: "DROP TABLE users",
};
const BOB: MigrationSource = {
  name: "0002_bob",
  sql: "INSERT INTO users(name) VALUES('Bob')",
  down: "DELETE FROM users WHERE name = 'Bob'",
};
const CARL: MigrationSource = {
  name: "0010_carl",
  sql: "INSERT INTO users(name) VALUES('Carl')",
};
const ALL = [USERS, BOB, CARL];

const names = ({ value }: World): Promise<unknown> =>
  value("SELECT group_concat(name) FROM (SELECT name FROM users ORDER BY id)");

/** Is the error of this class, with such a message. */
function of(
  type: abstract new (...args: never[]) => Error,
  message: RegExp,
): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof type, String(error));
    assert.match(error.message, message);
    return true;
  };
}

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`migrate() on ${place.name}`, { skip: place.skip }, () => {
    test("applies what is pending in the order of the numbers, and notes it", async (world) => {
      const { db, other } = world;
      const before = Date.now();
      assert.deepEqual(await migrate(db, { migrations: [CARL, USERS] }), {
        applied: ["0001_users", "0010_carl"],
        reverted: [],
      });
      const dave = { name: "11-dave.sql", sql: "INSERT INTO users(name) VALUES('Dave')" };
      assert.deepEqual((await migrate(db, { migrations: [dave, CARL, USERS] })).applied, [
        "11-dave",
      ]);
      assert.equal(await names(world), "Ada,Carl,Dave");
      const { rows } = await other.query<[string, string, string]>(
        `SELECT name, checksum, applied_at FROM ${TABLE} ORDER BY n`,
        [],
        { rows: "array" },
      );
      assert.deepEqual(rows.map(([name]) => name), ["0001_users", "0010_carl", "11-dave"]);
      for (const [, checksum, at] of rows) {
        assert.match(checksum, /^[\da-f]{64}$/);
        assert.equal(new Date(at).toISOString(), at);
        assert.ok(Date.parse(at) >= before && Date.parse(at) <= Date.now());
      }
    });

    test("sends one read where nothing is to do, and a migration as one write", async ({ db, network }) => {
      await migrate(db, { migrations: [USERS] });
      const first = network.copies.filter(({ body }) => body.includes("CREATE TABLE users"));
      assert.equal(first.length, 1);
      assert.ok(first[0]!.body.includes(`INSERT INTO \\"${TABLE}\\"`));
      network.requests.length = 0;
      await migrate(db, { migrations: [USERS] });
      assert.deepEqual(network.requests, ["/db/query"]);
    });

    test("keeps nothing of a migration that fails, and what was before it", async (world) => {
      const failing = {
        name: "0003_failing",
        sql: "CREATE TABLE gone(a);\n-- a comment\nINSERT INTO users(id)\nVALUES(1);",
      };
      const migrations = [USERS, BOB, failing, CARL];
      const error: unknown = await migrate(world.db, { migrations }).catch((error) => error);
      assert.ok(error instanceof IntegrityError, String(error));
      assert.match(error.message, /^Migration 0003_failing: .*users\.id.* \(line 3: INSERT INTO/s);
      assert.deepEqual([error.statementIndex, error.results?.length], [1, 1]);
      assert.equal(await names(world), "Ada,Bob");
      assert.equal(await world.value("SELECT 1 FROM sqlite_schema WHERE name = 'gone'"), undefined);
      assert.equal(await world.value(`SELECT count(*) FROM ${TABLE}`), 2);
      const repaired = { name: "0003_failing", sql: "CREATE TABLE gone(a)" };
      const { applied } = await migrate(world.db, { migrations: [USERS, BOB, repaired, CARL] });
      assert.deepEqual(applied, ["0003_failing", "0010_carl"]);
    });

    test("runs what script() runs: dumps, triggers, settings of the database, and nothing at all", async (world) => {
      const dump = `PRAGMA foreign_keys=OFF;
        BEGIN TRANSACTION;
        CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO users VALUES(1,'a;b');
        CREATE TRIGGER loud AFTER INSERT ON users BEGIN
          UPDATE users SET name = upper(name) WHERE id = new.id; SELECT 1; END;
        COMMIT;`;
      const migrations = [
        { name: "1_dump", sql: dump },
        { name: "2_nothing", sql: "-- nothing yet\n;" },
        { name: "3_empty", sql: "" },
        { name: "4_version", sql: "PRAGMA user_version = 7; INSERT INTO users(name) VALUES('c')" },
        { name: "5_read", sql: "SELECT * FROM users; DELETE FROM users WHERE id = 9; SELECT 2" },
        { name: "6_told", sql: "INSERT INTO users(name) VALUES('d') RETURNING id; SELECT 3" },
      ];
      assert.equal((await migrate(world.db, { migrations })).applied.length, 6);
      assert.equal(await names(world), "a;b,C,D");
      assert.equal(await world.value("PRAGMA user_version"), 7);
      assert.deepEqual((await migrate(world.db, { migrations })).applied, []);
    });

    test("refuses to make a table anew where rows refer to it, and names the migration", async ({ db, value }) => {
      const tables = {
        name: "1_tables",
        sql:
          `CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a ON DELETE CASCADE);
          INSERT INTO a VALUES(1); INSERT INTO b VALUES(1);`,
      };
      const anew = {
        name: "2_anew",
        sql: `PRAGMA foreign_keys = OFF; CREATE TABLE n(id INTEGER PRIMARY KEY, c);
          INSERT INTO n(id) SELECT id FROM a; DROP TABLE a; ALTER TABLE n RENAME TO a;`,
      };
      await assert.rejects(
        migrate(db, { migrations: [tables, anew] }),
        of(NotSupportedError, /^Migration 2_anew: .*dropping a would change rows of b/),
      );
      assert.equal(await value("SELECT count(*) FROM b"), 1);
    });

    test("does not mind how lines end, and refuses what was edited, missing, or comes too late", async ({ db, network }) => {
      const text = "CREATE TABLE t(a);\nINSERT INTO t VALUES('b\nc');\n";
      const crlf = "\ufeff" + text.replaceAll("\n", "\r\n");
      const lines = (sql: string) => ({ name: "0001_lines", sql });
      await migrate(db, { migrations: [lines(crlf), { name: "0003_c", sql: "SELECT 1" }] });
      assert.equal(await db.value("SELECT a FROM t"), "b\nc");
      const rest = { name: "0003_c", sql: "SELECT 1" };
      assert.deepEqual((await migrate(db, { migrations: [lines(text), rest] })).applied, []);
      network.copies.length = 0;
      const refused: [MigrationSource[], RegExp][] = [
        [
          [lines(`${text} `), rest],
          /^Cannot migrate as 0001_lines was edited since it was applied/,
        ],
        [[lines(`${text} `), { ...rest, sql: "" }], /as 0001_lines, 0003_c were edited since they/],
        [[rest], /^Cannot migrate as 0001_lines was applied and is missing/],
        [[], /^Cannot migrate as 0001_lines, 0003_c were applied and are missing/],
        [
          [lines(text), { ...rest, name: "0003_d" }],
          /^Cannot migrate as 0003_c was applied and is/,
        ],
        [
          [lines(text), rest, { name: "2_late", sql: "" }, { name: "4_new", sql: "" }],
          /^Cannot migrate as 2_late has a number below that of one that was applied before: give it/,
        ],
      ];
      for (const [migrations, message] of refused) {
        await assert.rejects(migrate(db, { migrations }), of(ProgrammingError, message));
      }
      assert.deepEqual(network.copies, []);
    });

    test("goes up to a migration and back to one, where there is what takes back", async (world) => {
      const { db } = world;
      const to = (name: string, migrations = ALL) => migrate(db, { migrations, to: name });
      assert.deepEqual(await to("0002_bob"), { applied: ["0001_users", "0002_bob"], reverted: [] });
      assert.deepEqual(await to("0001_users.sql"), { applied: [], reverted: ["0002_bob"] });
      assert.equal(await names(world), "Ada");
      assert.deepEqual((await migrate(db, { migrations: ALL })).applied, ["0002_bob", "0010_carl"]);
      await assert.rejects(
        to("0001_users"),
        of(
          ProgrammingError,
          /^Cannot go back to 0001_users as nothing .* 0010_carl: write 0010_carl\.down\.sql/,
        ),
      );
      await assert.rejects(to("0003_no"), of(ProgrammingError, /0003_no as there is no such migr/));
      assert.equal(await names(world), "Ada,Bob,Carl");
      const all = [USERS, BOB, { ...CARL, down: "DELETE FROM users WHERE name = 'Carl'" }];
      const failing = [
        { ...USERS, down: "DROP TABLE users;\nDROP TABLE missing;" },
        ...all.slice(1),
      ];
      await assert.rejects(
        to("none", failing),
        of(ProgrammingError, /^Migration 0001_users\.down: no such .* missing \(line 2 of the s/),
      );
      assert.equal(await names(world), "Ada", "those behind it are taken back");
      assert.deepEqual((await to("none", all)).reverted, ["0001_users"]);
      assert.equal(await world.value(`SELECT count(*) FROM ${TABLE}`), 0);
      assert.equal((await to("0010_carl", all)).applied.length, 3);
      assert.deepEqual((await to("none", all)).reverted, ["0010_carl", "0002_bob", "0001_users"]);
    });

    test("tells by dryRun what it would do, and writes nothing", async ({ db, network, value }) => {
      const migrations = [USERS, BOB];
      assert.deepEqual(await migrate(db, { migrations, dryRun: true }), {
        applied: ["0001_users", "0002_bob"],
        reverted: [],
      });
      assert.deepEqual(network.copies, []);
      const made = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'";
      assert.equal(await value(made), undefined);
      await migrate(db, { migrations });
      assert.deepEqual(await migrate(db, { migrations, dryRun: true, to: "none" }), {
        applied: [],
        reverted: ["0002_bob", "0001_users"],
      });
      const wrong = { name: "3_wrong", sql: "SELECT 1; VACUUM" };
      await assert.rejects(
        migrate(db, { migrations: [...migrations, wrong], dryRun: true }),
        of(NotSupportedError, /^Migration 3_wrong: .*VACUUM/),
      );
    });

    test("checks every migration before it applies the first", async ({ db, network }) => {
      const wrong: [sql: string, message: RegExp][] = [
        ["SELECT 1;\nVACUUM", /^Migration 2_wrong: .*VACUUM.* \(line 2: VACUUM\)/],
        ["SELECT 1; ROLLBACK", /^Migration 2_wrong: .*ROLLBACK/],
        ["PRAGMA journal_mode = WAL", /^Migration 2_wrong: .*journal_mode/],
        ["ATTACH 'x' AS y", /^Migration 2_wrong: .*ATTACH/],
        ["INSERT INTO users VALUES(?)", /^Migration 2_wrong: .*\(line 1: INSERT/],
        [".mode csv\nSELECT 1;", /^Migration 2_wrong: .*command of a shell/],
        ["INSERT INTO users VALUES('a", /^Migration 2_wrong: /],
        [`SELECT '${"x".repeat(2 ** 26)}'`, /^Migration 2_wrong: .* characters as .* divide it/],
      ];
      for (const [sql, message] of wrong) {
        const migrations = [USERS, { name: "2_wrong", sql }];
        await assert.rejects(migrate(db, { migrations }), { message });
      }
      assert.deepEqual(network.copies, []);
    });

    test("applies each once by many at the same time, with the lock and without", async (world) => {
      const all = Array.from({ length: 6 }, (_, i) => ({
        name: `${i + 2}_row`,
        sql: `INSERT INTO users(name) VALUES('${i}'); CREATE TABLE t${i}(a)`,
      }));
      const migrations = [USERS, ...all];
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, i) => {
          const client = i % 3 === 0 ? world.db : world.connect({});
          return migrate(client, { migrations, ...(i % 2 === 0 && { lock: OPEN }) });
        }),
      );
      const applied = results.flatMap((result) => result.applied);
      assert.deepEqual(applied.sort(), ["0001_users", ...all.map(({ name }) => name)]);
      assert.equal(await world.value("SELECT count(*) FROM users"), 7);
    });

    test("applies nothing on a state that others have left meanwhile", async (world) => {
      const { node, other } = world;
      let meanwhile: () => Promise<unknown> = () => Promise.resolve();
      const db = world.connect({
        fetch: async (input, init) => {
          if (!String(init?.body).includes(`INSERT INTO \\"${TABLE}\\"`)) {
            return await node(input, init);
          }
          const work = meanwhile;
          meanwhile = () => Promise.resolve();
          await work();
          return await node(input, init);
        },
      });
      const bob = [USERS, BOB];
      meanwhile = () => migrate(other, { migrations: bob, to: "0001_users" });
      assert.deepEqual((await migrate(db, { migrations: bob, lock: OPEN })).applied, ["0002_bob"]);
      // Taken back and applied again: what is there looks the same, and is not what was seen.
      meanwhile = async () => {
        await migrate(other, { migrations: bob, to: "none" });
        await migrate(other, { migrations: bob });
      };
      const all = await migrate(db, { migrations: ALL, lock: OPEN });
      assert.deepEqual(all.applied, ["0010_carl"]);
      const down = { ...CARL, down: "DELETE FROM users WHERE name = 'Carl'" };
      const migrations = [USERS, BOB, down];
      meanwhile = () => migrate(other, { migrations, to: "0001_users" });
      assert.deepEqual((await migrate(db, { migrations, to: "0002_bob", lock: OPEN })).applied, [
        "0002_bob",
      ]);
      assert.equal(await names(world), "Ada,Bob");
      // It was overtaken by one that knows more migrations.
      meanwhile = () => migrate(other, { migrations: ALL });
      await migrate(other, { migrations, to: "0001_users" });
      await assert.rejects(
        migrate(db, { migrations: [USERS, BOB], lock: OPEN }),
        of(ProgrammingError, /0010_carl was applied and is missing/),
      );
      // What reads, too, is tried first: others may come between the trial and the commit.
      const read = { name: "11_read", sql: "SELECT 1; INSERT INTO users(name) VALUES('Eve')" };
      meanwhile = () => {
        meanwhile = () => migrate(other, { migrations: [...ALL, read] });
        return Promise.resolve();
      };
      const late = await migrate(db, { migrations: [...ALL, read], lock: OPEN });
      assert.deepEqual(late.applied, []);
      assert.equal(await names(world), "Ada,Bob,Carl,Eve");
    });

    test("applies once what is sent twice, late, or answered to nobody", async (world) => {
      const fates = ["lose answer", "double", "delay"] as const;
      const { network } = world;
      const db = world.connect({ fetch: network.fetch as typeof fetch });
      for (const [i, fate] of fates.entries()) {
        const copied: (typeof network.copies)[number][] = [];
        network.plan = (copy) => {
          if (!copy.body.includes("INTO users(name") || copied.length > 0) return "pass";
          copied.push(copy);
          return fate;
        };
        const migrations = ALL.slice(0, i + 1);
        assert.equal((await migrate(db, { migrations })).applied.length, 1, fate);
        await network.deliver(copied[0]!);
        assert.equal(await world.value("SELECT count(*) FROM users"), i + 1, fate);
      }
      assert.equal(await world.value(`SELECT count(*) FROM ${TABLE}`), 3);
    });

    test("ends with its signal, and when its time is up", async ({ db, network, other, value }) => {
      const reason = new Error("enough");
      await assert.rejects(
        migrate(db, { migrations: ALL, signal: AbortSignal.abort(reason) }),
        reason,
      );
      await assert.rejects(
        status(db, { migrations: ALL, signal: AbortSignal.abort(reason) }),
        reason,
      );
      assert.deepEqual(network.requests, []);
      const lock = new RqliteLock({ name: `migrate:${TABLE}`, client: other });
      const handle = await lock.acquire();
      await assert.rejects(
        migrate(db, { migrations: ALL, timeout: 500 }),
        (error) => error instanceof LockTimeoutError || error instanceof TimeoutError,
      );
      const waiting = new AbortController();
      const waits = migrate(db, { migrations: ALL, signal: waiting.signal });
      waiting.abort(reason);
      await assert.rejects(waits, reason);
      assert.equal(await value("SELECT 1 FROM sqlite_schema WHERE name = 'users'"), undefined);
      await handle.release();
      const stopped = new AbortController();
      network.plan = ({ body }) => {
        if (body.includes("'Bob'")) stopped.abort(reason);
        return "pass";
      };
      await assert.rejects(migrate(db, { migrations: ALL, signal: stopped.signal }), reason);
      network.plan = () => "pass";
      await migrate(db, { migrations: ALL });
      assert.equal(await value("SELECT count(*) FROM users"), 3);
    });

    test("keeps its notes in the table that is named, and in no table of others", async ({ db, sql, value }) => {
      await migrate(db, { migrations: [USERS], table: 'my "own"' });
      assert.equal(await value('SELECT name FROM "my ""own"""'), "0001_users");
      await sql("CREATE TABLE taken(a)");
      const taken = { migrations: [USERS], table: "Taken" };
      for (const call of [migrate, status]) {
        await assert.rejects(
          call(db, taken),
          of(ProgrammingError, /Taken is another table: give the name/),
        );
      }
      assert.equal(await value("SELECT count(*) FROM users"), 1);
    });

    test("applies what answers values that no caller could get", async ({ db, value }) => {
      const migrations = [{
        name: "1_long",
        sql: "CREATE TABLE a(n INTEGER, t TEXT); " +
          "INSERT INTO a VALUES(9007199254740993, x'ff') RETURNING t; SELECT n FROM a",
        down: "DELETE FROM a RETURNING n",
      }, { name: "2_last", sql: "", down: "" }];
      assert.deepEqual((await migrate(db, { migrations })).applied, ["1_long", "2_last"]);
      const { reverted } = await migrate(db, { migrations, to: "none" });
      assert.deepEqual(reverted, ["2_last", "1_long"]);
      assert.equal(await value("SELECT count(*) FROM a"), 0);
    });

    test("ends where a migration changes its own row", async ({ db, value }) => {
      for (const sql of [`DELETE FROM ${TABLE}`, `DROP TABLE ${TABLE}`]) {
        await assert.rejects(
          migrate(db, { migrations: [{ name: "1_clean", sql }] }),
          of(
            ProgrammingError,
            /^Cannot go on as 1_clean has to be done a second time: its own row/,
          ),
        );
      }
      assert.equal(await value(`SELECT count(*) FROM sqlite_schema WHERE name = '${TABLE}'`), 0);
    });

    test("leaves to a dump of the database what was applied", async ({ db, other }) => {
      await migrate(db, { migrations: [USERS, BOB] });
      const dump = await new Response(await db.backup({ format: "sql" })).text();
      const drops: Statement[] = ["DROP TABLE users", `DROP TABLE ${TABLE}`];
      await other.batch(drops);
      await other.script(dump);
      assert.deepEqual((await migrate(db, { migrations: ALL })).applied, ["0010_carl"]);
    });
  });

  describe(`status() on ${place.name}`, { skip: place.skip }, () => {
    test("tells how each migration stands, and writes nothing", async ({ db, network }) => {
      const of = async (migrations: MigrationSource[]) =>
        (await status(db, { migrations })).map(({ name, state, appliedAt, down }) => {
          assert.equal(appliedAt !== undefined, ["applied", "edited", "missing"].includes(state));
          return `${name} ${state}${down ? " down" : ""}`;
        });
      assert.deepEqual(await of(ALL), [
        "0001_users pending down",
        "0002_bob pending down",
        "0010_carl pending",
      ]);
      assert.deepEqual(network.copies, []);
      const before = Date.now();
      await migrate(db, { migrations: ALL });
      const [users] = await status(db, { migrations: ALL });
      assert.ok(users!.appliedAt!.getTime() >= before && users!.appliedAt!.getTime() <= Date.now());
      network.copies.length = 0;
      const last = { name: "20260101120000_last", sql: "" };
      assert.deepEqual(
        await of([{ ...USERS, sql: "" }, { name: "3_late", sql: "" }, CARL, last]),
        [
          "0001_users edited down",
          "0002_bob missing",
          "3_late late",
          "0010_carl applied",
          "20260101120000_last pending",
        ],
      );
      assert.deepEqual(network.copies, []);
    });
  });
}

describe("migrate() by clients with other options", () => {
  it("reads and notes the same", () =>
    PLACES[0]!.run(async ({ connect }) => {
      const db = connect({ integers: "bigint", rows: "array", level: "none", exactlyOnce: false });
      assert.equal((await migrate(db, { migrations: ALL })).applied.length, 3);
      assert.deepEqual((await migrate(db, { migrations: ALL })).applied, []);
    }));

  it("says what is wrong with a client that is none", async () => {
    const wrong = connect("http://localhost:4001").query as never;
    await assert.rejects(migrate(wrong, { migrations: ALL }), /`client` as it must be what `conn/);
    await assert.rejects(
      status(wrong, { migrations: ALL }),
      /`client` as it must be what `connect/,
    );
    // As the view of a request in Hono has them, which may be a transaction.
    const { query, execute, batch } = connect("http://localhost:4001");
    const view = { query, execute, batch } as never;
    await assert.rejects(
      migrate(view, { migrations: ALL }),
      /in Hono that is `c\.var\.db\.client`/,
    );
  });
});
