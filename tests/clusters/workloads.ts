// What goes on in a cluster while it is broken: each workload makes one call after another, and notes what it was told.
import { SHOP } from "../replicas/shop.ts";
import type { Random } from "../support/random.ts";
import type { BankCall } from "./checkers/bank.ts";
import type { CounterCall } from "./checkers/counters.ts";
import type { InsertCall } from "./checkers/inserts.ts";
import type { ListStep } from "./checkers/lists.ts";
import type { LockCall } from "./checkers/locks.ts";
import type { RegisterCall } from "./checkers/registers.ts";
import type { Op } from "./history.ts";
import type { Store } from "./store.ts";

/** What each workload notes of a call. */
export interface Calls {
  readonly registers: RegisterCall;
  readonly lists: readonly ListStep[];
  readonly bank: BankCall;
  readonly inserts: InsertCall & { readonly own: boolean };
  readonly counters: CounterCall;
  readonly "counters without ids": CounterCall;
  readonly profiles: CounterCall;
  readonly locks: LockCall;
  readonly shop: ShopCall;
}

/** What a customer did, through which way in. */
export interface ShopCall extends InsertCall {
  readonly what: "order" | "leave" | "review" | "stock";
  readonly by: string;
}

/** The name of a workload. */
export type WorkloadName = keyof Calls;

/** A call as it was noted. */
export interface Noted<Name extends WorkloadName = WorkloadName> extends Op<Calls[Name]> {
  readonly workload: Name;
  /** Milliseconds until it ended, and those that it had. */
  readonly took: number;
  readonly timeout: number;
  /** Why it failed. */
  readonly error?: string;
  /** An error that nobody should meet. */
  readonly strange?: string;
  /** The id of a call of which nobody knew, and what `outcome()` said of it. */
  readonly id?: string;
  readonly outcome?: string;
}

/** Where a workload makes its calls. */
export interface Desk {
  readonly store: Store;
  /** Who makes them. */
  readonly caller: string;
  readonly random: Random;
  /** Another number for each call of anybody. */
  number(): number;
  /** Grows with time, so that no register and no list has too many calls. */
  era(): number;
  /** Makes a call and notes what became of it; `draft` is what it was if it fails. */
  note<Name extends WorkloadName>(
    workload: Name,
    draft: Calls[Name],
    call: () => Promise<Calls[Name] | void>,
    options?: { readonly timed?: boolean },
  ): Promise<Noted<Name>>;
}

/** Accounts of the bank, and what each holds at first. */
export const ACCOUNTS = 8;
export const EACH = 100;

/** Products of the shop, and how many of each there are at first. */
const PRODUCTS = ["tea", "cup", "pot"];
export const STOCK = 1_000_000;

/** The tables of all workloads, with what is in them at first. */
export const TABLES: readonly string[] = [
  "CREATE TABLE registers(key TEXT PRIMARY KEY, value INTEGER NOT NULL)",
  "CREATE TABLE lists(key TEXT PRIMARY KEY, ids TEXT NOT NULL)",
  "CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)",
  ...Array.from({ length: ACCOUNTS }, (_, i) => `INSERT INTO accounts VALUES(${i}, ${EACH})`),
  "CREATE TABLE inserts(key TEXT NOT NULL)",
  "CREATE TABLE counters(id TEXT PRIMARY KEY, n INTEGER NOT NULL)",
  // Each node notes what its own clock says: only the client's judgement keeps transactions over it apart.
  `CREATE TABLE profiles(id TEXT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_at TEXT)`,
  `CREATE TRIGGER profiles_updated AFTER UPDATE OF n ON profiles
    BEGIN UPDATE profiles SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = new.id; END`,
  "CREATE TABLE turns(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, n INTEGER NOT NULL, token INTEGER NOT NULL)",
  "CREATE TABLE leases(name TEXT PRIMARY KEY, holder TEXT, token INTEGER NOT NULL, until INTEGER NOT NULL)",
  "INSERT INTO leases VALUES('turns', NULL, 0, 0)",
  ...SHOP,
  ...PRODUCTS.map((name) =>
    `INSERT INTO products(name, price, stock) VALUES('${name}', 1.5, ${STOCK})`
  ),
];

const LIST_KEYS = 4;
const REGISTER_KEYS = 2;
const PROFILES = 4;

/** Each makes one call. */
export const WORKLOADS: Readonly<Record<WorkloadName, (desk: Desk) => Promise<unknown>>> = {
  registers,
  lists,
  bank,
  inserts: ({ note, number, caller, random, store }) => {
    const key = `${caller} ${number()}`;
    const own = random.below(2) === 0;
    const id = own ? `own ${key}` : undefined;
    return note(
      "inserts",
      { key, own },
      () => store.write("INSERT INTO inserts(key) VALUES(?)", [key], id),
    );
  },
  counters: (desk) => {
    const counter = `${desk.caller} ${desk.era()}`;
    return desk.note("counters", { counter }, () => desk.store.write(RAISE, [counter]));
  },
  "counters without ids": (desk) => {
    const counter = `${PLAIN} ${desk.caller} ${desk.era()}`;
    return desk.note(
      "counters without ids",
      { counter },
      () => desk.store.writePlainly(RAISE, [counter]),
    );
  },
  profiles,
  locks,
  shop,
};

const RAISE = "INSERT INTO counters(id, n) VALUES(?, 1) ON CONFLICT(id) DO UPDATE SET n = n + 1";

/** Begins the names of counters that are raised without ids. */
export const PLAIN = "plain";

async function registers({ store, random, note, number, era }: Desk): Promise<void> {
  const key = `${era()}-${random.below(REGISTER_KEYS)}`;
  if (random.below(2) === 0) {
    await note("registers", { key, read: null }, async () => {
      const [row] = await store.read("SELECT value FROM registers WHERE key = ?", key);
      return { key, read: row === undefined ? null : Number(row["value"]) };
    });
    return;
  }
  const write = number();
  const upsert = "INSERT INTO registers(key, value) VALUES(?, ?) " +
    "ON CONFLICT(key) DO UPDATE SET value = excluded.value";
  await note("registers", { key, write }, () => store.write(upsert, [key, write]));
}

/** The values of a list as they are stored. */
export function parseList(ids: unknown): number[] {
  return String(ids ?? "").split(",").filter((id) => id !== "").map(Number);
}

const APPEND = "INSERT INTO lists(key, ids) VALUES(?, ?) " +
  "ON CONFLICT(key) DO UPDATE SET ids = ids || ',' || excluded.ids";

async function lists({ store, random, note, number, era }: Desk): Promise<void> {
  const steps = new Map<string, ListStep>();
  for (let left = 1 + random.below(4); left > 0; left--) {
    const key = `${era()}-${random.below(LIST_KEYS)}`;
    // One step for each list: a read behind an append of one's own is no question of isolation.
    if (steps.has(key)) continue;
    steps.set(key, random.below(2) === 0 ? { key, append: number() } : { key, read: [] });
  }
  const plan = [...steps.values()];
  // What is read is only known where there is an answer.
  const appends = plan.filter((step) => "append" in step);
  await note("lists", appends, () =>
    store.transaction(async ({ all, run }) => {
      const did: ListStep[] = [];
      for (const step of plan) {
        const { key } = step;
        if ("append" in step) {
          await run(APPEND, key, String(step.append));
          did.push(step);
        } else {
          const [row] = await all("SELECT ids FROM lists WHERE key = ?", key);
          did.push({ key, read: parseList(row?.["ids"]) });
        }
      }
      return did;
    }));
}

async function bank({ store, random, note }: Desk): Promise<void> {
  if (random.below(3) === 0) {
    await note("bank", { balances: [] }, async () => {
      const rows = await store.read("SELECT balance FROM accounts ORDER BY id");
      return { balances: rows.map((row) => Number(row["balance"])) };
    });
    return;
  }
  const from = random.below(ACCOUNTS);
  const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
  const amount = 1 + random.below(5);
  await note("bank", { from, to, amount }, () =>
    store.transaction(async ({ all, run }) => {
      const balance = async (id: number) =>
        Number((await all("SELECT balance FROM accounts WHERE id = ?", id))[0]!["balance"]);
      const [less, more] = [await balance(from) - amount, await balance(to) + amount];
      if (less < 0) return { from, to, amount: 0 };
      await run("UPDATE accounts SET balance = ? WHERE id = ?", less, from);
      await run("UPDATE accounts SET balance = ? WHERE id = ?", more, to);
    }));
}

/** Counts up a row that differs from node to node, which it reads as a whole. */
async function profiles({ store, random, note }: Desk): Promise<void> {
  const counter = `profile ${random.below(PROFILES)}`;
  await note("profiles", { counter }, () =>
    store.transaction(async ({ all, run }) => {
      const [row] = await all("SELECT * FROM profiles WHERE id = ?", counter);
      if (row === undefined) await run("INSERT INTO profiles(id, n) VALUES(?, 1)", counter);
      else await run("UPDATE profiles SET n = ? WHERE id = ?", Number(row["n"]) + 1, counter);
    }));
}

async function locks({ store, caller, note, number }: Desk): Promise<void> {
  const key = `${caller} ${number()}`;
  await note("locks", { key }, () =>
    store.locked(async ({ all, run }, token) => {
      const [row] = await all("SELECT max(n) AS n FROM turns");
      const did = { key, token: token() };
      const insert = "INSERT INTO turns(key, n, token) VALUES(?, ?, ?)";
      await run(insert, key, Number(row!["n"] ?? 0) + 1, did.token);
      return did;
    }));
}

/** One customer: orders, and may leave; or a review, or a new product. */
async function shop({ store, caller, random, note, number }: Desk): Promise<void> {
  const [by, shop] = random.of(Object.entries(store.shops));
  const key = `${by}${caller}${number()}`.replaceAll(/[^a-zA-Z0-9]/g, "x");
  switch (random.below(4)) {
    case 0:
      await note("shop", { what: "review", by, key }, async () => {
        const titles = await shop.review(key);
        if (titles.join() !== key) throw new Error(`A review of ${key} is found as ${titles}`);
        // Three calls, each of which has the time of one.
      }, { timed: false });
      break;
    case 1:
      await note("shop", { what: "stock", by, key }, () => shop.stock(key));
      break;
    default: {
      const products = random.of([[1], [2, 3], [1, 2, 3]]);
      const { ended } = await note("shop", { what: "order", by, key }, async () => {
        const total = await shop.order(key, products);
        // JSON, which Hono answers, has null for it.
        if (Number.isNaN(total ?? NaN)) throw new Error(`The order of ${key} is not what it was`);
      });
      if (ended !== "done" || random.below(3) > 0) break;
      await note("shop", { what: "leave", by, key }, async () => void await shop.leave(key));
    }
  }
}
