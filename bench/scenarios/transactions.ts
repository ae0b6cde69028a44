import type { Client, Transaction, TransactionOptions } from "../../mod.ts";
import { callAll, type Case } from "../measure.ts";
import { COMPARE_AND_SET, EAGER, LAZY, UNPROTECTED } from "../names.ts";
import type { Scenario } from "../scenario.ts";
import { client, type HandResult, read, write } from "../ways.ts";

const READ = "SELECT n FROM counters WHERE id = ?";
const WRITE = "UPDATE counters SET n = ? WHERE id = ?";

/** A counter beside one whose row has a column that the clock fills, and what else makes a commit dearer. */
const SCHEMA = [
  "CREATE TABLE counters(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
  "INSERT INTO counters VALUES(1, 0)",
  "CREATE TABLE stamped(id INTEGER PRIMARY KEY, n INTEGER, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "INSERT INTO stamped(n) VALUES(0)",
];

/** Whoever waits for a row that all want tries until it is his turn. */
const PATIENT: TransactionOptions = { retries: 1_000, timeout: 120_000 };

/** Adds 1 to the counter. */
type Increment = () => Promise<unknown>;

const numberIn = ([result]: HandResult[]): number => result!.values![0]![0] as number;

/** Two requests with nothing that holds them together: right as long as nobody else is there. */
function unprotected(url: string): Increment {
  return async () => {
    const n = numberIn(await read(url, [READ, 1]));
    await write(url, [WRITE, n + 1, 1]);
  };
}

/** Compare and set, until it is set. */
function compareAndSet(url: string): Increment {
  return async () => {
    for (let affected = 0; affected === 0;) {
      const n = numberIn(await read(url, [READ, 1]));
      const [result] = await write(url, [`${WRITE} AND n = ?`, n + 1, 1, n]);
      affected = result!.rows_affected ?? 0;
    }
  };
}

function transaction(db: Client, options: TransactionOptions): Increment {
  const increment = async (tx: Transaction): Promise<void> => {
    const n = await tx.value<number>(READ, [1]);
    await tx.execute(WRITE, [n! + 1, 1]);
  };
  return () => db.transaction(increment, { ...PATIENT, ...options });
}

/** Sees to it that no case loses an increment. */
class Ledger {
  #due = 0;

  /** A case of all increments of a round. */
  case(name: string, callers: number, each: number, increment: Increment): Case {
    return {
      name,
      run: () => {
        this.#due += callers * each;
        return callAll(callers, each, increment);
      },
    };
  }

  /** Behind all cases, as it sends a request. */
  async check(url: string): Promise<void> {
    const lost = this.#due - numberIn(await read(url, [READ, 1]));
    if (lost !== 0) throw new Error(`${lost} increments were lost`);
  }
}

const transactions: Scenario = async (bench) => {
  const server = await bench.server();
  await server.sql(...SCHEMA);
  const ledger = new Ledger();
  for (const callers of [1, 8]) {
    const each = bench.quick ? 4 : callers === 1 ? 100 : 10;
    const [byHand, name] = callers === 1
      ? [unprotected, UNPROTECTED] as const
      : [compareAndSet, COMPARE_AND_SET] as const;
    const [lazy, eager] = callers === 1 ? [0.8, 0.5] : [1, 0.6];
    await bench.contest({
      title: callers === 1 ? "1 caller" : `${callers} callers, one row`,
      operations: callers * each,
      rounds: bench.quick ? 3 : 11,
      server,
      cases(url) {
        const db = client(url);
        const by = (increment: Increment, called: string) =>
          ledger.case(called, callers, each, increment);
        return [
          by(byHand(url), name),
          {
            ...by(transaction(db, { mode: "lazy" }), LAZY),
            against: { [name]: { speed: lazy } },
          },
          {
            ...by(transaction(db, { mode: "eager" }), EAGER),
            against: { [name]: { speed: eager } },
            close: async () => {
              await db.close();
              await ledger.check(server.url);
            },
          },
        ];
      },
    });
  }
  const operations = bench.quick ? 5 : 100;
  await bench.contest({
    title: "1 caller, what makes a commit dearer",
    operations,
    rounds: bench.quick ? 3 : 11,
    server,
    cases: (url) => kinds(client(url), operations),
  });
};

/** Transactions beside the plain one. */
function kinds(db: Client, operations: number): Case[] {
  const unit = (run: (tx: Transaction) => Promise<unknown>) => ({
    run: () => callAll(1, operations, () => db.transaction(run)),
  });
  const plain = "a plain row";
  const against = { [plain]: {} };
  const raise = async (tx: Transaction, table: string, where: string): Promise<void> => {
    await tx.query(`SELECT * FROM ${table} WHERE id = 1 ${where}`);
    await tx.execute(`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
  };
  return [
    { name: plain, ...unit((tx) => raise(tx, "counters", "")) },
    { name: "a row with a clock's column", ...unit((tx) => raise(tx, "stamped", "")), against },
    {
      name: "a row found by a clock's column",
      ...unit((tx) => raise(tx, "stamped", "AND at IS NOT 'never'")),
      against,
    },
    {
      name: "nothing but a read, readOnly",
      run: () =>
        callAll(
          1,
          operations,
          () => db.transaction((tx) => tx.query(READ, [1]), { readOnly: true }),
        ),
      against,
      close: () => db.close(),
    },
  ];
}

export default transactions;
