// Every way in that this package offers, behind one small interface.
import { sql } from "drizzle-orm";
import { Hono } from "hono";
import { CompiledQuery, Kysely } from "kysely";
import { type Client, connect, type Executor, type TransactionOptions } from "../../mod.ts";
import { connect as connectDbapi, type Connection } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { rqlite, type RqliteVariables } from "../../src/hono/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

/** What a value of a program is. */
export type Cell = string | number | null;

/** A row, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** What a program works with, whatever is behind it. */
export interface Ops {
  /** Runs a statement that reads. */
  all(sql: string, ...params: Cell[]): Promise<Row[]>;
  /** Runs a statement that writes; the rows are those of RETURNING. */
  run(sql: string, ...params: Cell[]): Promise<Row[]>;
}

/** An ordinary piece of work; `key` is a text of this run alone. */
export type Program = (ops: Ops, key: string) => Promise<void>;

/** A way in. */
export interface Door {
  /** Runs the work and waits until it is acknowledged; whatever is refused, is thrown. */
  run(work: (ops: Ops) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** What `random()` makes does not fit into a number. */
const EXACT = { integers: "auto" } as const;

/** Opens a door of a cluster. */
export type OpenDoor = (urls: readonly string[]) => Door;

/** Every way in, by name; nothing behind them tries again by itself after a conflict. */
export const DOORS: Readonly<Record<string, OpenDoor>> = {
  "client.transaction()": (urls) => ofTransaction(urls, {}),
  "client.transaction() that is lazy": (urls) => ofTransaction(urls, { mode: "lazy" }),
  "client.transaction() with a scope": (urls) => ofTransaction(urls, { scope: "zoo" }),
  "client.transaction() under an RqliteLock": ofLock,
  "client.execute()": ofCalls,
  "a connection of the DB-API": ofDbapi,
  "Kysely": ofKysely,
  "Drizzle": ofDrizzle,
  "Hono with a transaction for each request": ofHono,
};

function opsOf(executor: Executor): Ops {
  return {
    all: async (sql, ...params) => (await executor.query<Row>(sql, params)).rows,
    run: async (sql, ...params) => (await executor.execute<Row>(sql, params)).rows,
  };
}

/** A function of the client. */
function ofTransaction(urls: readonly string[], options: TransactionOptions): Door {
  const client = connect(urls, EXACT);
  return {
    run: (work) => client.transaction((tx) => work(opsOf(tx)), { retries: 0, ...options }),
    close: () => client.close(),
  };
}

/** The lease is a row that is written, renewed and freed beside the programs' own. */
function ofLock(urls: readonly string[]): Door {
  const client = connect(urls, EXACT);
  const lock = new RqliteLock({ name: "zoo", client });
  return {
    run: (work) => client.transaction((tx) => work(opsOf(tx)), { retries: 0, lock }),
    close: () => client.close(),
  };
}

/** Each statement stands for itself. */
function ofCalls(urls: readonly string[]): Door {
  const client = connect(urls, EXACT);
  return {
    run: (work) => work(opsOf(client)),
    close: () => client.close(),
  };
}

function ofDbapi(urls: readonly string[]): Door {
  const connection = connectDbapi(urls, EXACT);
  const run: Ops["run"] = async (sql, ...params) => {
    const cursor = await connection.execute(sql, params);
    const names = cursor.description?.map(([name]) => name);
    if (names === undefined) return [];
    const rows = await cursor.fetchAll();
    return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]])));
  };
  return {
    run: (work) => committing(connection, () => work({ all: run, run })),
    close: () => connection.close(),
  };
}

async function committing(connection: Connection, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    await connection.commit();
  } catch (error) {
    await connection.rollback();
    throw error;
  }
}

function ofKysely(urls: readonly string[]): Door {
  const client = connect(urls, EXACT);
  const db = new Kysely<unknown>({ dialect: new RqliteDialect({ client }) });
  return {
    run: (work) =>
      db.transaction().execute((trx) => {
        const run: Ops["run"] = async (sql, ...params) =>
          (await trx.executeQuery<Row>(CompiledQuery.raw(sql, params))).rows;
        return work({ all: run, run });
      }),
    close: () => client.close(),
  };
}

/** Drizzle's own form of a statement with `?`, which stands for nothing else in these programs. */
function drizzleSql(text: string, params: readonly Cell[]): ReturnType<typeof sql> {
  const [first, ...parts] = text.split("?");
  return sql.join([
    sql.raw(first!),
    ...parts.flatMap((part, i) => [sql`${params[i]}`, sql.raw(part)]),
  ]);
}

function ofDrizzle(urls: readonly string[]): Door {
  const client = connect(urls, EXACT);
  const db = drizzle(client);
  return {
    run: (work) =>
      db.transaction((tx) => {
        const run: Ops["run"] = (text, ...params) => tx.all<Row>(drizzleSql(text, params));
        return work({ all: run, run });
      }),
    close: () => client.close(),
  };
}

function ofHono(urls: readonly string[]): Door {
  const client: Client = connect(urls, EXACT);
  let work: (ops: Ops) => Promise<void> = () => Promise.resolve();
  let failure: unknown;
  const app = new Hono<{ Variables: RqliteVariables }>();
  app.use(rqlite(client, { transaction: true }));
  app.post("/", async (c) => {
    await work(opsOf(c.var.db));
    return c.text("done");
  });
  app.onError((error, c) => {
    failure = error;
    return c.text(error.name, 500);
  });
  return {
    async run(wanted) {
      [work, failure] = [wanted, undefined];
      const response = await app.request("/", { method: "POST" });
      if (response.status !== 200) throw failure ?? new Error(await response.text());
    },
    close: () => client.close(),
  };
}
