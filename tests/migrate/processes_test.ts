// Many processes that migrate one cluster at the same moment, and are killed while they do.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, connect } from "../../mod.ts";
import { verifyReplicas } from "../../src/doctor/mod.ts";
import { status } from "../../src/migrate/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { childEngines } from "../support/engines.ts";
import { Random } from "../support/random.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";

const MIGRATOR = fileURLToPath(new URL("./migrator.ts", import.meta.url));
const PROCESSES = 16;
const KILLS = 5;
const TABLES = 5;
const ROWS = 200;

/** A schema as people have it: clocks and ids by default, computed columns, triggers, a view that takes rows, keys, FTS5. */
const SHOP = [
  `CREATE TABLE customers(
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     uuid TEXT NOT NULL UNIQUE DEFAULT (lower(hex(randomblob(16)))),
     name TEXT NOT NULL,
     since TEXT DEFAULT CURRENT_TIMESTAMP,
     changed REAL DEFAULT (julianday('now')),
     initial TEXT AS (substr(name, 1, 1)) STORED);
   CREATE TABLE orders(
     id INTEGER PRIMARY KEY,
     customer INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE,
     total REAL CHECK (total > 0),
     at TEXT DEFAULT (datetime('now')));
   CREATE TABLE log(n INTEGER PRIMARY KEY, what TEXT);
   CREATE VIRTUAL TABLE search USING fts5(name);
   CREATE TRIGGER found AFTER INSERT ON customers BEGIN
     INSERT INTO search(rowid, name) VALUES(new.id, new.name);
   END;
   CREATE TRIGGER ordered AFTER INSERT ON orders BEGIN
     INSERT INTO log(what) VALUES(new.customer || ': ' || new.total);
   END;
   CREATE VIEW spent AS
     SELECT name, sum(total) AS total FROM customers c JOIN orders o ON o.customer = c.id GROUP BY c.id;
   CREATE TRIGGER spends INSTEAD OF INSERT ON spent BEGIN
     INSERT INTO orders(customer, total, at)
       SELECT id, new.total, 'by the view' FROM customers WHERE name = new.name;
   END;`,
  `INSERT INTO customers(name) VALUES('Ada'), ('Bob'), ('Eve');
   INSERT INTO orders(customer, total) VALUES(1, 2.5), (2, 3.5), (3, 4.5);
   INSERT INTO spent(name, total) VALUES('Ada', 5.5);
   UPDATE customers SET name = 'Bea', changed = julianday('now') WHERE name = 'Bob';`,
  `ALTER TABLE customers ADD COLUMN phone TEXT;
   ALTER TABLE orders RENAME COLUMN total TO price;
   DELETE FROM customers WHERE name = 'Eve';
   INSERT INTO customers(name, phone) VALUES('Fay', '007');`,
];

/** Each says in a row that it ran, and all but those of the shop make a table and fill it: what runs twice or in part shows. */
function writeFiles(folder: string): string[] {
  const tables = Array.from(
    { length: TABLES },
    (_, i) => `
      CREATE TABLE IF NOT EXISTS t${i}(id INTEGER PRIMARY KEY, v TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP);
      INSERT INTO t${i}(v)
        WITH n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS}) SELECT 'v' || i FROM n;
      ALTER TABLE t${i} ADD COLUMN last TEXT;
      UPDATE ran SET n = n WHERE n < ${i};
    `,
  );
  return [...tables, ...SHOP].map((text, i) => {
    const name = `${String(i + 1).padStart(4, "0")}_t${i}`;
    const ran = `
      ${
      i === 0
        ? "CREATE TABLE ran(n INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP, r INTEGER DEFAULT (random()));"
        : ""
    }
      INSERT INTO ran(n) VALUES(${i});
    `;
    writeFileSync(join(folder, `${name}.sql`), ran + text);
    return name;
  });
}

/** Processes that are started again where they are killed. */
class Migrators {
  /** What those say that they applied which came to an end; one may be killed behind that, and say it again. */
  readonly told: { readonly by: number; readonly applied: readonly string[] }[] = [];
  #killed = 0;
  readonly #folder: string;
  readonly #urls: readonly string[];
  readonly #alive = new Map<ChildProcess, number>();
  #failed: unknown;

  constructor(folder: string, urls: readonly string[]) {
    this.#folder = folder;
    this.#urls = urls;
  }

  /** Starts all of them, and lets them go when all are ready. */
  async start(): Promise<void> {
    const ready = Array.from({ length: PROCESSES }, (_, i) => this.#spawn(i));
    for (const child of await Promise.all(ready)) child.stdin!.write("go\n");
  }

  get killed(): number {
    return this.#killed;
  }

  /** Kills one of them, and starts it again. */
  kill(random: Random): void {
    if (this.#alive.size === 0) return;
    const [child, i] = random.of([...this.#alive]);
    this.#alive.delete(child);
    this.#killed++;
    child.kill("SIGKILL");
    this.#spawn(i).then((again) => again.stdin!.write("go\n"), () => {});
  }

  /** Whether some are at work; throws where one has failed. */
  get busy(): boolean {
    if (this.#failed !== undefined) throw this.#failed;
    return this.#alive.size > 0;
  }

  stop(): void {
    for (const child of this.#alive.keys()) child.kill("SIGKILL");
  }

  /** On every engine; half of them hold no lock, so that they collide. */
  async #spawn(i: number): Promise<ChildProcess> {
    const engines = childEngines();
    const { command, args } = engines[i % engines.length]!;
    const url = this.#urls[i % this.#urls.length]!;
    const how = i % 2 === 0 ? "locked" : "open";
    const child = spawn(command, [...args, MIGRATOR, url, this.#folder, how], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    // One that is killed takes no more input.
    child.stdin.on("error", () => {});
    this.#alive.set(child, i);
    const ended = new Promise<never>((_, reject) =>
      child.once("close", (code) => {
        const failed = this.#alive.delete(child) && code !== 0;
        if (failed) this.#failed ??= new Error(`A migrator ended with ${code}`);
        reject(new Error("A migrator has ended"));
      })
    );
    ended.catch(() => {});
    const lines = createInterface({ input: child.stdout });
    const ready = new Promise<ChildProcess>((resolve) =>
      lines.on("line", (line) => {
        if (line === "ready") resolve(child);
        else this.told.push({ by: i, applied: JSON.parse(line) as string[] });
      })
    );
    return await Promise.race([ready, ended]);
  }
}

/** How many are applied, as a node has it. */
async function progress(db: Client): Promise<number> {
  try {
    const count = "SELECT count(*) FROM rqlite_migrations";
    return await db.value<number>(count, [], { level: "none" }) ?? 0;
  } catch {
    return 0; // there is no table yet
  }
}

async function migrateInMany(cluster: Cluster, folder: string): Promise<Migrators> {
  const migrators = new Migrators(folder, cluster.urls);
  const db = connect(cluster.urls[0]!);
  const random = new Random(16);
  try {
    await migrators.start();
    let seen = 0;
    while (migrators.busy) {
      const now = await progress(db);
      if (now > seen && migrators.killed < KILLS) migrators.kill(random);
      seen = now;
      await pause(10);
    }
    return migrators;
  } finally {
    migrators.stop();
    await db.close();
  }
}

describe("migrate() of many processes", { skip: skipWithoutRqlited() }, () => {
  it("applies each file once while they are killed and started again, on all nodes alike", async () => {
    const folder = mkdtempSync(join(tmpdir(), "migrations-"));
    const cluster = await startCluster(3, { args: ["-fk"] });
    const db = connect(cluster.urls);
    try {
      const names = writeFiles(folder);
      const { told, killed } = await migrateInMany(cluster, folder);
      assert.ok(killed > 0);
      assert.equal(new Set(told.map(({ by }) => by)).size, PROCESSES);
      const applied = told.flatMap((one) => one.applied);
      assert.equal(new Set(applied).size, applied.length, "nobody applied what another one did");
      const rows = async (sql: string) =>
        (await db.query<unknown[]>(sql, [], { rows: "array" })).rows;
      assert.deepEqual(
        (await rows("SELECT n FROM ran ORDER BY rowid")).flat(),
        names.map((_, i) => i),
      );
      assert.deepEqual((await rows("SELECT name FROM rqlite_migrations ORDER BY n")).flat(), names);
      const tables = names.slice(0, TABLES);
      const counts = tables.map((_, i) => `SELECT count(*) FROM t${i}`).join(" UNION ALL ");
      assert.deepEqual((await rows(counts)).flat(), tables.map(() => ROWS));
      assert.deepEqual(await rows("SELECT id, name, initial, phone FROM customers ORDER BY id"), [
        [1, "Ada", "A", null],
        [2, "Bea", "B", null],
        [4, "Fay", "F", "007"],
      ]);
      assert.equal(await db.value("SELECT count(*) FROM orders"), 3);
      assert.equal(await db.value("SELECT count(DISTINCT uuid) FROM customers"), 3);
      assert.equal(await db.value("SELECT rowid FROM search WHERE search MATCH 'fay'"), 4);
      assert.deepEqual(await rows("SELECT * FROM spent"), [["Ada", 8], ["Bea", 3.5]]);
      assert.deepEqual((await rows("SELECT what FROM log ORDER BY n")).flat(), [
        ...["1: 2.5", "2: 3.5", "3: 4.5", "1: 5.5"],
      ]);
      const states = (await status(db, { folder })).map(({ state }) => state);
      assert.deepEqual(states, names.map(() => "applied"));
      await equalReplicas(cluster);
      assert.deepEqual((await verifyReplicas(db)).differences, []);
    } finally {
      await db.close();
      await cluster.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
