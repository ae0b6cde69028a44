import { connect, DataError, type Executor, OutcomeUnknownError, RqliteError } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import type { Ops, Row } from "../replicas/doors.ts";
import { IdLostError } from "../replicas/shop.ts";
import { clientShop, honoShop } from "../replicas/shop_client.ts";
import { drizzleShop } from "../replicas/shop_drizzle.ts";
import { kyselyShop } from "../replicas/shop_kysely.ts";
import type { Store, StoreOptions, Verdict } from "./store.ts";

/** Runs of a function of a transaction that others come before; time is what ends them. */
const RETRIES = 1000;

/** This package's client, and what people use over it. */
export function clientStore({ lease, ...options }: StoreOptions): Store {
  const { urls, ...rest } = options;
  const client = connect(urls, { ...rest, transaction: { retries: RETRIES } });
  const lock = new RqliteLock({ name: "turns", client, leaseDuration: lease });
  return {
    read: async (sql, ...params) =>
      (await client.query<Row>(sql, params, { level: "linearizable" })).rows,
    write: async (sql, params, id) => {
      await client.execute(sql, params, id === undefined ? {} : { id });
    },
    writePlainly: async (sql, params) => {
      await client.execute(sql, params, { exactlyOnce: false });
    },
    transaction: (work) => client.transaction((tx) => work(opsOf(tx))),
    locked: (work) =>
      client.transaction((tx) => work(opsOf(tx), () => Number(tx.fencingToken)), {
        lock,
        // The lock's version is the only guard: what is read is not compared.
        isolation: "none",
      }),
    outcome: (id) => client.outcome(id),
    judge,
    shops: {
      client: clientShop(client),
      Kysely: kyselyShop(client),
      Drizzle: drizzleShop(client),
      Hono: honoShop(client),
    },
    close: () => client.close(),
  };
}

function opsOf(executor: Executor): Ops {
  return {
    all: async (sql, ...params) => (await executor.query<Row>(sql, params)).rows,
    run: async (sql, ...params) => (await executor.execute<Row>(sql, params)).rows,
  };
}

/** What is behind an error: ORMs put their own around it. */
function errorOf(error: unknown): RqliteError | undefined {
  if (error instanceof RqliteError) return error;
  return error instanceof Error ? errorOf(error.cause) : undefined;
}

function judge(thrown: unknown): Verdict {
  if (thrown instanceof IdLostError) return { ended: "unknown" };
  const error = errorOf(thrown);
  if (error === undefined) return { ended: "unknown", strange: String(thrown) };
  if (error instanceof OutcomeUnknownError) {
    return { ended: "unknown", ...(error.id !== undefined && { id: error.id }) };
  }
  // What the rows of RETURNING were is not known any more, but that they are stored is.
  const applied = error instanceof DataError &&
    /^The (write|batch|transaction) was (applied|committed)/.test(error.message);
  if (applied) return { ended: "done" };
  return { ended: "not done", ...(isExpected(error) ? {} : { strange: String(error) }) };
}

/** What a cluster that fails may bring about; everything else is a mistake of somebody. */
const EXPECTED = /^ERR_(OPERATIONAL|CONNECTION|TIMEOUT|TRANSACTION_CONFLICT|LOCK.*)$/;

function isExpected({ code }: RqliteError): boolean {
  return EXPECTED.test(code);
}
