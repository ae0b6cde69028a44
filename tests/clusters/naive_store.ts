import type { Cell, Ops, Row } from "../replicas/doors.ts";
import type { Shop } from "../replicas/shop.ts";
import type { Store, StoreOptions } from "./store.ts";

/** Attempts of a call, at one node after another. */
const ATTEMPTS = 4;

type Statement = readonly [sql: string, ...params: Cell[]];

interface Answer {
  readonly results?: readonly { readonly rows?: Row[]; readonly error?: string }[];
  readonly error?: string;
}

/**
 * What one writes in an afternoon, and what most clients of rqlite are: a `fetch` that is repeated at the next node when it
 * fails, batches for transactions, and a lease for a lock. What still fails counts as not done.
 */
export function naiveStore(
  { urls, timeout, lease, fetch = globalThis.fetch }: StoreOptions,
): Store {
  let turn = 0;
  const holder = String(Math.random());

  async function attempt(path: string, body: string): Promise<Row[][]> {
    const response = await fetch(urls[turn % urls.length] + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(timeout),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    const { results = [], error } = await response.json() as Answer;
    const failed = error ?? results.find((result) => result.error !== undefined)?.error;
    if (failed !== undefined) throw new Error(failed);
    return results.map(({ rows = [] }) => rows);
  }

  async function post(path: string, statements: readonly Statement[]): Promise<Row[][]> {
    for (let left = ATTEMPTS - 1;; left--) {
      try {
        return await attempt(path, JSON.stringify(statements));
      } catch (error) {
        turn++;
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  const read = async (sql: string, ...params: Cell[]): Promise<Row[]> =>
    (await post("/db/query?associative", [[sql, ...params]]))[0] ?? [];
  const batch = (statements: readonly Statement[]): Promise<Row[][]> =>
    post("/db/execute?transaction&associative", statements);
  const write = async (sql: string, params: readonly Cell[]): Promise<void> =>
    void await batch([[sql, ...params]]);

  async function transaction<T>(work: (ops: Ops) => Promise<T>): Promise<T> {
    const writes: Statement[] = [];
    const value = await work({
      all: read,
      run: (sql, ...params) => {
        writes.push([sql, ...params]);
        return Promise.resolve([]);
      },
    });
    if (writes.length > 0) await batch(writes);
    return value;
  }

  async function take(): Promise<number> {
    for (const end = Date.now() + timeout; Date.now() < end;) {
      const now = Date.now();
      await write(
        "UPDATE leases SET holder = ?, token = token + 1, until = ? WHERE name = 'turns' AND until < ?",
        [holder, now + lease, now],
      );
      const [row] = await read("SELECT holder, token FROM leases WHERE name = 'turns'");
      if (row?.["holder"] === holder) return Number(row["token"]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("The lock was not free");
  }

  return {
    read,
    write,
    writePlainly: write,
    transaction,
    async locked(work) {
      const token = await take();
      try {
        return await transaction((ops) => work(ops, () => token));
      } finally {
        await write("UPDATE leases SET until = 0 WHERE holder = ?", [holder]);
      }
    },
    outcome: () => Promise.resolve("unknown"),
    judge: () => ({ ended: "not done" }),
    shops: { "a batch": batchShop(batch, read) },
    close: () => Promise.resolve(),
  };
}

function batchShop(
  batch: (statements: readonly Statement[]) => Promise<Row[][]>,
  read: (sql: string, ...params: Cell[]) => Promise<Row[]>,
): Shop {
  const visit = (email: string): Statement => [
    "INSERT INTO customers(email) VALUES(?) ON CONFLICT(email) DO UPDATE SET visits = visits + 1",
    email,
  ];
  return {
    async visit(email) {
      await batch([visit(email)]);
      return Number(
        (await read("SELECT visits FROM customers WHERE email = ?", email))[0]?.["visits"],
      );
    },
    async order(email, products) {
      const last = "(SELECT max(id) FROM orders)";
      await batch([
        visit(email),
        ["INSERT INTO orders(customer_id) SELECT id FROM customers WHERE email = ?", email],
        ...products.flatMap((id): Statement[] => [
          [`INSERT INTO order_lines VALUES(${last}, ?, 1)`, id],
          ["UPDATE products SET stock = stock - 1, updated_at = 1000 WHERE id = ?", id],
        ]),
      ]);
      return 0;
    },
    async review(word) {
      await batch([["INSERT INTO reviews(title, body) VALUES(?, ?)", word, `all about ${word}`]]);
      return [word];
    },
    stock: async (name) =>
      void await batch([["INSERT INTO products(name, price, stock) VALUES(?, 0.1, 1)", name]]),
    async leave(email) {
      await batch([["DELETE FROM customers WHERE email = ?", email]]);
      return 1;
    },
    spent: async () =>
      await read("SELECT email, orders FROM spent ORDER BY email") as unknown as {
        email: string;
        orders: number;
      }[],
  };
}
