// Histories of random transactions that append to lists and read them: who saw whose append gives the order in which they
// must have run, and a cycle in it is a history that no serial order explains.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect, type Transaction } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { PLACES } from "./world.ts";

const KEYS = [1, 2, 3];

/** What one committed transaction did: by key, the list that it read first, and what it appended. */
interface Done {
  readonly id: number;
  readonly read: ReadonlyMap<number, readonly number[]>;
  readonly appended: ReadonlySet<number>;
}

function parse(list: string): number[] {
  return list === "" ? [] : list.split(",").map(Number);
}

async function act(tx: Transaction, id: number): Promise<Done> {
  const read = new Map<number, number[]>();
  const appended = new Set<number>();
  for (let i = 0; i < 3; i++) {
    const key = KEYS[Math.floor(Math.random() * KEYS.length)]!;
    if (Math.random() < 0.4 && !appended.has(key)) {
      appended.add(key);
      // Blind: without a read, so that only the order of the commits decides.
      await tx.execute("UPDATE lists SET ids = ltrim(ids || ',' || ?, ',') WHERE key = ?", [
        id,
        key,
      ]);
    } else if (!appended.has(key) && !read.has(key)) {
      const { rows } = await tx.query<{ ids: string }>("SELECT ids FROM lists WHERE key = ?", [
        key,
      ]);
      read.set(key, parse(rows[0]!.ids));
    }
  }
  return { id, read, appended };
}

async function history(
  clients: readonly Client[],
  isolation: "serializable" | "none",
): Promise<Done[]> {
  let next = 0;
  const done: Done[] = [];
  const work = async (db: Client): Promise<void> => {
    for (let i = 0; i < 12; i++) {
      const id = ++next;
      done.push(await db.transaction((tx) => act(tx, id), { isolation, retries: 200 }));
    }
  };
  await Promise.all(clients.map(work));
  return done;
}

/** An edge from each transaction to those that must come behind it. */
function graph(
  done: readonly Done[],
  final: ReadonlyMap<number, readonly number[]>,
): Map<number, Set<number>> {
  const edges = new Map<number, Set<number>>(done.map(({ id }) => [id, new Set()]));
  const add = (from: number | undefined, to: number | undefined): void => {
    if (from !== undefined && to !== undefined && from !== to) edges.get(from)!.add(to);
  };
  for (const [key, order] of final) {
    for (const [i, id] of order.entries()) add(id, order[i + 1]);
    for (const { id, read } of done) {
      const seen = read.get(key);
      if (seen === undefined) continue;
      assert.deepEqual(seen, order.slice(0, seen.length), "a read of what was never committed");
      add(seen.at(-1), id);
      add(id, order[seen.length]);
    }
  }
  return edges;
}

function hasCycle(edges: ReadonlyMap<number, ReadonlySet<number>>): boolean {
  const state = new Map<number, "open" | "done">();
  const visit = (id: number): boolean => {
    if (state.get(id) === "done") return false;
    if (state.get(id) === "open") return true;
    state.set(id, "open");
    const found = [...edges.get(id)!].some(visit);
    state.set(id, "done");
    return found;
  };
  return [...edges.keys()].some(visit);
}

async function run(
  db: Client,
  clients: readonly Client[],
  isolation: "serializable" | "none",
): Promise<boolean> {
  await db.execute("DROP TABLE IF EXISTS lists");
  await db.execute("CREATE TABLE lists(key INTEGER PRIMARY KEY, ids TEXT NOT NULL)");
  await db.batch(KEYS.map((key) => ["INSERT INTO lists VALUES(?, '')", key]));
  const done = await history(clients, isolation);
  const { rows } = await db.query<{ key: number; ids: string }>("SELECT key, ids FROM lists");
  const final = new Map(rows.map(({ key, ids }) => [key, parse(ids)]));
  const appends = done.flatMap(({ appended }) => [...appended]).length;
  assert.equal([...final.values()].flat().length, appends, "an append was lost or doubled");
  return hasCycle(graph(done, final));
}

describe("histories of random transactions", () => {
  for (const place of PLACES) {
    it(
      `on ${place.name} are serializable`,
      { skip: place.skip },
      () =>
        place.run(async ({ other, connect }) => {
          const clients = [1, 2, 3, 4].map(() => connect({}));
          for (let i = 0; i < (place.name === "rqlited" ? 3 : 10); i++) {
            assert.equal(await run(other, clients, "serializable"), false);
          }
        }),
    );
  }

  it('have cycles with isolation "none", which shows that the search finds them', async () => {
    const { fetch } = embedded();
    // Answers that take a moment, so that transactions overlap.
    const slow = async (...call: Parameters<typeof fetch>): Promise<Response> => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await fetch(...call);
    };
    const clients = [1, 2, 3, 4].map(() => connect({ fetch: slow as typeof fetch }));
    let cycles = 0;
    for (let i = 0; i < 10; i++) cycles += Number(await run(clients[0]!, clients, "none"));
    assert.ok(cycles > 0);
  });
});
