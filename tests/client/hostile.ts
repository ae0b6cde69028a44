// What a server and its other clients suffer from hostile texts: nothing.
import { existsSync, readFileSync } from "node:fs";
import { type Client, connect, IntegrityError, RqliteError } from "../../mod.ts";
import { Random } from "../support/random.ts";
import type { Rqlited } from "../support/rqlited.ts";
import { type HostileText, hostileText } from "./hostile_grammar.ts";

/** How the server is started: only then is there an effect of `foreign_keys` to lose. */
export const HOSTILE_ARGS: readonly string[] = ["-fk"];

/** What is told at the end. */
export interface Suffered {
  /** How many calls ended how, by the code of the error. */
  readonly endings: ReadonlyMap<string, number>;
  /** The longest that the neighbour waited for a write, in milliseconds. */
  readonly slowest: number;
  /** The most memory that the server had, in bytes. */
  readonly peak: number;
  /** What must not be. */
  readonly wrong: readonly string[];
}

/** How they are sent. */
export interface Attack {
  readonly texts: number;
  readonly seed: number;
  /** How long a call may take beyond its limit, in milliseconds. */
  readonly slack: number;
  /** Told after each look at the server. */
  readonly onLook?: (texts: number) => void;
}

/** Texts that are under way at the same time. */
const AT_ONCE = 4;

/** Texts between two looks. */
const STRETCH = 500;

const LIMIT = 5_000;

/** For texts without an end; the others end by themselves. */
const SHORT = 200;

type Way = (
  db: Client,
  text: HostileText,
  options: { timeout: number; coalesce: boolean },
) => Promise<unknown>;

const statement = (
  { sql, params }: HostileText,
): readonly [string, ...HostileText["params"]] => [sql, ...params];

const READS: readonly Way[] = [
  (db, { sql, params }, options) => db.query(sql, params, options),
  (db, { sql, params }, options) =>
    db.query(sql, params, { ...options, level: "weak", rows: "array" }),
  (db, { sql, params }, options) =>
    db.query(sql, params, { ...options, level: "strong", integers: "bigint" }),
  (db, { sql, params }, options) => db.first(sql, params, { ...options, level: "none" }),
  (db, { sql, params }, options) => db.value(sql, params, options),
  async (db, { sql, params }, options) => {
    let rows = 0;
    for await (const _ of db.iterate(sql, params, { ...options, pageSize: 50 })) {
      if (++rows === 200) break;
    }
  },
  (db, { sql, params }, { timeout }) =>
    db.transaction((tx) => tx.query(sql, params), { timeout, retries: 0 }),
  (db, { sql, params }, { timeout }) =>
    db.transaction(async (tx) => {
      await tx.execute("INSERT INTO caught VALUES(1)");
      await tx.query(sql, params);
      await tx.rollback();
    }, { timeout, retries: 0 }),
];

const WRITES: readonly Way[] = [
  (db, { sql, params }, options) => db.execute(sql, params, options),
  (db, { sql, params }, options) => db.execute(sql, params, { ...options, exactlyOnce: false }),
  (db, text, options) => db.batch([statement(text)], options),
  (db, text, options) => db.batch(["SELECT 1", statement(text), "DELETE FROM caught"], options),
  (db, text, options) => db.batch([statement(text), "SELECT 1"], { ...options, atomic: false }),
  (db, { sql }, { timeout }) => db.script(sql, { timeout }),
  (db, { sql }, { timeout }) => db.script(`DELETE FROM caught;\n${sql}`, { timeout }),
  (db, text, { timeout }) =>
    db.transaction(async (tx) => {
      await tx.execute("INSERT INTO caught VALUES(1)");
      await tx.execute(text.sql, text.params);
      await tx.value("SELECT count(*) FROM caught");
    }, { timeout, retries: 0 }),
  (db, text, { timeout }) =>
    db.transaction(async (tx) => {
      await tx.execute(text.sql, text.params);
      await tx.execute("DELETE FROM caught");
    }, { timeout, retries: 0, mode: "lazy" }),
  (db, text, { timeout }) =>
    db.transaction((tx) => tx.batch([statement(text)]), { timeout, retries: 0 }),
];

const ALL: readonly Way[] = [...READS, ...WRITES];

/** Sends texts, and looks at the server and as another client between them. */
export async function attack(
  server: Rqlited,
  { texts, seed, slack, onLook }: Attack,
): Promise<Suffered> {
  const random = new Random(seed);
  const { pid } = server;
  const file = `${server.directory}/hostile.db`;
  const db = connect(server.url, { timeout: LIMIT });
  const neighbour = new Neighbour(server);
  const endings = new Map<string, number>();
  const wrong: string[] = [];

  const send = async (text: HostileText, way: Way, coalesce: boolean): Promise<void> => {
    const timeout = text.endless ? SHORT : LIMIT;
    const start = performance.now();
    const error = await way(db, text, { timeout, coalesce }).then(
      () => undefined,
      (error: unknown) => error,
    );
    const late = performance.now() - start - timeout;
    const shown = `${JSON.stringify(text.sql.slice(0, 200))} by ${way}`;
    const typed = error === undefined || error instanceof RqliteError;
    if (!typed) wrong.push(`${error} of ${shown}`);
    if (late > slack) wrong.push(`${Math.round(late)} ms late: ${shown}`);
    const ending = error === undefined ? "done" : typed ? error.code : "untyped";
    endings.set(ending, (endings.get(ending) ?? 0) + 1);
  };

  await neighbour.movesIn();
  for (let sent = 0; sent < texts && wrong.length === 0;) {
    const until = Math.min(texts, sent + STRETCH);
    const caller = async (): Promise<void> => {
      while (sent < until) {
        sent++;
        const text = hostileText(random, { file });
        await send(text, random.of(text.endless ? READS : ALL), random.below(2) === 0);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, caller));
    if (!server.running || server.pid !== pid) {
      wrong.push(`the server ended\n${server.log()}`);
      break;
    }
    wrong.push(...await neighbour.looks());
    // What is stored for good makes all that comes later slower, and an honest wait is no harm.
    await server.ask("/db/execute", { method: "POST", body: '["DELETE FROM prey"]' });
    if (existsSync(file)) wrong.push("a file was written");
    onLook?.(sent);
  }
  const { slowest } = neighbour;
  const peak = server.running ? memoryOf(pid) : 0;
  await neighbour.movesOut();
  await db.close();
  return { endings, slowest, peak, wrong };
}

function memoryOf(pid: number): number {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return 0; // no Linux
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(status, "utf8"))?.[1]);
}

/** What a connection may be set to, and what lies in front of tables. */
const STATE: readonly string[] = [
  ...("analysis_limit application_id auto_vacuum automatic_index busy_timeout cache_size cache_spill cell_size_check " +
    "checkpoint_fullfsync count_changes defer_foreign_keys empty_result_callbacks encoding foreign_keys full_column_names " +
    "fullfsync hard_heap_limit ignore_check_constraints journal_size_limit legacy_alter_table locking_mode max_page_count " +
    "mmap_size page_size query_only read_uncommitted recursive_triggers reverse_unordered_selects secure_delete " +
    "short_column_names soft_heap_limit synchronous temp_store threads trusted_schema user_version wal_autocheckpoint " +
    "writable_schema").split(" ").map((name) => `PRAGMA ${name}`),
  "SELECT * FROM pragma_journal_mode",
  "SELECT 'a' LIKE 'A'",
  "SELECT name FROM pragma_database_list WHERE name <> 'temp'",
  "SELECT type, name, tbl_name FROM temp.sqlite_master",
];

/** Another client, which has data and relies on settings. */
class Neighbour {
  readonly #server: Rqlited;
  readonly #db: Client;
  #state: readonly string[] = [];
  #rows = 0;
  slowest = 0;

  constructor(server: Rqlited) {
    this.#server = server;
    this.#db = connect(server.url, { timeout: LIMIT });
  }

  async movesIn(): Promise<void> {
    await this.#server.sql(
      "CREATE TABLE caught(a)",
      "CREATE TABLE prey(a INTEGER PRIMARY KEY, b, c TEXT)",
      "CREATE TABLE kept(id INTEGER PRIMARY KEY, n INTEGER UNIQUE, parent REFERENCES kept)",
      "PRAGMA user_version = 41",
      "PRAGMA application_id = 43",
    );
    await this.#db.execute("INSERT INTO kept VALUES(0, 0, NULL)");
    this.#state = await this.#stateNow();
  }

  movesOut(): Promise<void> {
    return this.#db.close();
  }

  async looks(): Promise<string[]> {
    const wrong: string[] = [];
    try {
      const start = performance.now();
      const id = ++this.#rows;
      await this.#db.execute("INSERT INTO kept VALUES(?, ?, ?)", [id, -id, id - 1]);
      this.slowest = Math.max(this.slowest, performance.now() - start);
      const orphan = await this.#db.execute("INSERT INTO kept VALUES(-1, 7, 99999999)").catch((
        error,
      ) => error);
      if (!(orphan instanceof IntegrityError)) wrong.push(`foreign keys are off: ${orphan}`);
      // A transaction that was left open would hide the row from the other connections.
      const [row] =
        (await this.#db.query("SELECT count(*) AS n, sum(n) AS s, sum(parent) AS p FROM kept", [], {
          level: "none",
        })).rows;
      const expected = { n: id + 1, s: -id * (id + 1) / 2, p: id * (id - 1) / 2 };
      if (JSON.stringify(row) !== JSON.stringify(expected)) {
        wrong.push(`there is ${JSON.stringify(row)}, not ${JSON.stringify(expected)}`);
      }
      const state = await this.#stateNow();
      for (const [i, now] of state.entries()) {
        const before = this.#state[i];
        if (now !== before) wrong.push(`${STATE[i % STATE.length]} is ${now}, not ${before}`);
      }
    } catch (error) {
      wrong.push(`the neighbour met ${error}`);
    }
    return wrong;
  }

  /** Of the connection that writes, and of those that read. */
  async #stateNow(): Promise<string[]> {
    const answers = [await this.#server.sql(...STATE)];
    const body = JSON.stringify(STATE);
    for (let i = 0; i < 3; i++) {
      const { text } = await this.#server.ask("/db/query?level=none", { method: "POST", body });
      answers.push(JSON.parse(text).results);
    }
    return answers.flat().map((result) => JSON.stringify(result));
  }
}
