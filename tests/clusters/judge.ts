// What has to be true of a history, one property a line.
import { checkBank } from "./checkers/bank.ts";
import { checkCounters } from "./checkers/counters.ts";
import { checkDeadlines } from "./checkers/deadlines.ts";
import { checkInserts } from "./checkers/inserts.ts";
import { checkLists } from "./checkers/lists.ts";
import { checkLocks } from "./checkers/locks.ts";
import { checkRegisters } from "./checkers/registers.ts";
import { countOf, type Op } from "./history.ts";
import {
  EACH,
  type Noted,
  parseList,
  PLAIN,
  type ShopCall,
  STOCK,
  type WorkloadName,
} from "./workloads.ts";

/** A line of the table. */
export interface Finding {
  readonly property: string;
  readonly workload: string;
  readonly operations: number;
  /** Of the operations: those that were acknowledged, those that failed for certain, and those of which nobody knows. */
  readonly done: number;
  readonly notDone: number;
  readonly unknown: number;
  readonly violations: readonly string[];
}

/** Runs a query on what is there in the end; each row is a list. */
export type ReadEnd = (sql: string) => Promise<unknown[][]>;

/** An id of which was asked after the end, what it has to be and what was told. */
export interface Question {
  readonly id: string;
  readonly expected: string;
  readonly told: string;
}

/** A history, and what else is needed to judge it. */
export interface Case {
  readonly history: readonly Noted[];
  readonly questions: readonly Question[];
  /** How many requests the network doubled that no id protects, by the name of their counter. */
  readonly copies: ReadonlyMap<string, number>;
}

/** Checks every property, and tells what was counted. */
export async function judge(heard: Case, read: ReadEnd): Promise<Finding[]> {
  const { history, questions, copies } = heard;
  const of = <Name extends WorkloadName>(name: Name): Noted<Name>[] =>
    history.filter(({ workload }) => workload === name) as unknown as Noted<Name>[];
  const numbers = async (sql: string) =>
    new Map((await read(sql)).map(([key, n]) => [String(key), Number(n)]));
  const counters = await numbers("SELECT id, n FROM counters");
  const countersWhere = (plain: boolean) =>
    new Map([...counters].filter(([id]) => id.startsWith(PLAIN) === plain));

  const registers = of("registers");
  const lists = of("lists");
  const bank = of("bank");
  const inserts = of("inserts");
  const locks = of("locks");
  const shop = of("shop");
  const values = await numbers("SELECT key, value FROM registers");
  // A row that is gone is read as well.
  const called = new Set([...registers.map(({ did }) => did.key), ...values.keys()]);
  const lastReads = [...called].map((key) => ({
    ...{ caller: "the end", start: Infinity, end: Infinity, ended: "done" as const },
    did: { key, read: values.get(key) ?? null },
  }));
  const final = new Map(
    (await read("SELECT key, ids FROM lists")).map(([key, ids]) => [String(key), parseList(ids)]),
  );
  const balances = (await read("SELECT balance FROM accounts ORDER BY id")).flat().map(Number);
  const keys = (await read("SELECT key FROM inserts")).flat().map(String);
  const turns = (await read("SELECT key, n, token FROM turns ORDER BY id")).map((
    [key, n, token],
  ) => ({ key: String(key), n: Number(n), token: Number(token) }));
  const asked = history.filter(({ outcome }) => outcome !== undefined);

  return [
    finding(
      "each register is linearizable",
      "registers",
      registers,
      checkRegisters([...registers, ...lastReads]),
    ),
    finding("transactions are serializable", "lists", lists, checkLists(lists, final)),
    finding("money is neither made nor lost", "bank", bank, checkBank(bank, EACH, balances)),
    finding(
      "what was acknowledged is there once, what was refused is not",
      "inserts",
      inserts,
      checkInserts(inserts, countOf(keys)),
    ),
    finding(
      "writes are counted exactly",
      "counters",
      of("counters"),
      checkCounters(of("counters"), countersWhere(false)),
    ),
    finding(
      "writes without ids are not repeated",
      "counters without ids",
      of("counters without ids"),
      checkCounters(of("counters without ids"), countersWhere(true), copies),
    ),
    finding(
      "rows that differ from node to node are judged once",
      "profiles",
      of("profiles"),
      checkCounters(of("profiles"), await numbers("SELECT id, n FROM profiles")),
    ),
    finding("a lock keeps its holders apart", "locks", locks, checkLocks(locks, turns)),
    ...await judgeShop(shop, read),
    finding("outcome() tells the truth, and goes on to", "all", asked, contradictions(questions)),
    finding(
      "errors are the client's own",
      "all",
      history,
      history.flatMap(({ strange, workload }) =>
        strange === undefined ? [] : [`${workload}: ${strange}`]
      ),
    ),
    finding(
      "nothing outlives its deadline by more than a second",
      "all",
      history,
      checkDeadlines(
        history.map(({ workload, caller, took, timeout, start, did, error = "" }) => ({
          what: `${workload} of ${caller} at ${start}, ${JSON.stringify(did)} (${error})`,
          took,
          timeout,
        })),
      ),
    ),
  ];
}

function finding(
  property: string,
  workload: string,
  ops: readonly Op[],
  violations: readonly string[],
): Finding {
  const counts = countOf(ops.map(({ ended }) => ended));
  return {
    property,
    workload,
    operations: ops.length,
    done: counts.get("done") ?? 0,
    notDone: counts.get("not done") ?? 0,
    unknown: counts.get("unknown") ?? 0,
    violations,
  };
}

function contradictions(questions: readonly Question[]): string[] {
  return questions.flatMap(({ id, expected, told }) =>
    told === expected || told === "unknown" ? [] : [`${id} is ${expected}, and "${told}" was told`]
  );
}

/** What is wrong if it answers a row. */
const INVARIANTS: Readonly<Record<string, string>> = {
  "an order without its customer":
    "SELECT id FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)",
  "a line without its order":
    "SELECT order_id FROM order_lines WHERE order_id NOT IN (SELECT id FROM orders)",
  "an order without lines":
    "SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM order_lines)",
  "a stock that its trigger did not follow":
    `SELECT name, stock FROM products WHERE id <= 3 AND stock <> ${STOCK} + (SELECT total(change) FROM movements WHERE product = name)`,
  "a customer whose orders the view does not count":
    "SELECT email FROM spent WHERE orders <> (SELECT count(*) FROM orders WHERE customer_id = spent.id)",
  "a review with the text of another":
    "SELECT title, body FROM reviews WHERE body NOT IN ('draft', 'all about ' || title)",
  "a review that is not found by its word": "SELECT title FROM reviews WHERE body <> 'draft' AND " +
    "(SELECT count(*) FROM reviews_search s WHERE s.title = reviews.title) <> 1",
};

async function judgeShop(calls: readonly Noted<"shop">[], read: ReadEnd): Promise<Finding[]> {
  const column = async (sql: string) => countOf((await read(sql)).flat().map(String));
  const found = new Map([
    ...await column("SELECT email FROM customers JOIN orders ON customer_id = customers.id"),
    ...await column("SELECT title FROM reviews"),
    ...await column("SELECT name FROM products WHERE id > 3"),
  ]);
  const broken: string[] = [];
  for (const [what, sql] of Object.entries(INVARIANTS)) {
    broken.push(...(await read(sql)).map((row) => `${what}: ${row}`));
  }
  const expected = expectations(calls);
  const wrong = checkInserts(expected, found);
  const ways = Map.groupBy(calls, ({ did }) => did.by);
  return [
    ...[...ways].map(([by, ops]) => {
      const keys = new Set(ops.map(({ did }) => did.key));
      const own = wrong.filter((violation) => keys.has(violation.split(" ")[0]!));
      return finding("what customers were told is so", `shop by ${by}`, ops, own);
    }),
    finding("a schema's own rules hold", "shop", calls, [
      ...broken,
      ...wrong.filter((violation) => violation.endsWith("nobody inserted it")),
    ]),
  ];
}

/** A customer that left has no orders any more; a review is three calls, of which the first may be all there is. */
function expectations(calls: readonly Noted<"shop">[]): Op<ShopCall>[] {
  const left = new Map(
    calls.flatMap(({ did, ended }) => did.what === "leave" ? [[did.key, ended] as const] : []),
  );
  const inverse = { "done": "not done", "not done": "done", "unknown": "unknown" } as const;
  return calls.filter(({ did }) => did.what !== "leave").map((op) => {
    if (op.did.what === "review" && op.ended === "not done") return { ...op, ended: "unknown" };
    const gone = left.get(op.did.key);
    // Only who has ordered leaves.
    return gone === undefined ? op : { ...op, ended: inverse[gone] };
  });
}
