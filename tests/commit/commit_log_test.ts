// Histories of writes with ids over a network that loses, delays and doubles: what was reported stays true.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Client, connect, OutcomeUnknownError, RqliteError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Fate, FaultyNetwork } from "../support/faulty_network.ts";

type Action =
  | { readonly do: "write"; readonly key: number; readonly fates: readonly Fate[] }
  | { readonly do: "ask"; readonly id: number }
  | { readonly do: "deliver"; readonly copy: number }
  | { readonly do: "free"; readonly key: number }
  | { readonly do: "prune"; readonly keep: number };

const fate = fc.constantFrom<Fate>("pass", "pass", "lose answer", "delay", "double");
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      key: fc.nat(2),
      fates: fc.array(fate, { maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("ask" as const), id: fc.nat(9) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("deliver" as const), copy: fc.nat(29) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("free" as const), key: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("prune" as const), keep: fc.nat(3) }) },
);

/** What the client said about an id: it may only ever become more definite. */
type Said = "committed" | "not committed" | "unknown";

class History {
  readonly #network: FaultyNetwork;
  readonly #db: Client;
  readonly #said: Said[] = [];

  constructor(network: FaultyNetwork) {
    this.#network = network;
    this.#db = connect({ fetch: network.fetch as typeof fetch, retries: 0 });
  }

  /** Each write also leaves a line that nothing removes, and may be refused by the key that another one holds. */
  async start(): Promise<void> {
    await this.#db.execute("CREATE TABLE lines(id INTEGER)");
    await this.#db.execute("CREATE TABLE keys(key INTEGER UNIQUE, id INTEGER)");
    await this.#db.execute(
      "CREATE TRIGGER line AFTER INSERT ON keys BEGIN INSERT INTO lines VALUES(new.id); END",
    );
  }

  async perform(action: Action): Promise<void> {
    this.#network.plan = () => "pass";
    if (action.do === "write") await this.#write(action);
    if (action.do === "ask") await this.#ask(action.id);
    if (action.do === "free") {
      const once = { exactlyOnce: false };
      await this.#db.execute("DELETE FROM keys WHERE key = ?", [action.key], once);
    }
    if (action.do === "deliver") {
      const copy = this.#network.copies[action.copy % Math.max(1, this.#network.copies.length)];
      if (copy !== undefined) await this.#network.deliver(copy);
    }
    if (action.do === "prune") {
      const sql = "DELETE FROM _rqlite_commit WHERE n <= (SELECT max(n) FROM _rqlite_commit) - ?";
      await this.#db.execute(sql, [action.keep]).catch(() => {});
    }
    await this.#check();
  }

  async #write({ key, fates }: Action & { do: "write" }): Promise<void> {
    const id = this.#said.length;
    const left = [...fates];
    this.#network.plan = () => left.shift();
    const sql = "INSERT INTO keys VALUES(?, ?)";
    this.#said[id] = await this.#db.execute(sql, [key, id], { id: `w-${id}` }).then(
      () => "committed" as const,
      (error: unknown) => {
        assert.ok(error instanceof RqliteError, String(error));
        return error instanceof OutcomeUnknownError ? "unknown" : "not committed";
      },
    );
  }

  async #ask(id: number): Promise<void> {
    if (id >= this.#said.length) return;
    const answer = await this.#db.outcome(`w-${id}`);
    const before = this.#said[id]!;
    if (answer === "unknown") return;
    assert.ok(before === "unknown" || before === answer, `w-${id}: ${before}, then ${answer}`);
    this.#said[id] = answer;
  }

  async #check(): Promise<void> {
    const { rows } = await this.#db.query<{ id: number; n: number }>(
      "SELECT id, count(*) AS n FROM lines GROUP BY id",
    );
    const applied = new Map(rows.map(({ id, n }) => [id, n]));
    for (const [id, said] of this.#said.entries()) {
      const n = applied.get(id) ?? 0;
      assert.ok(n <= 1, `w-${id} was applied ${n} times`);
      if (said !== "unknown") assert.equal(n, said === "committed" ? 1 : 0, `w-${id}: ${said}`);
    }
  }
}

describe("the commit log", () => {
  it("keeps every report true, whatever copies arrive later", async () => {
    const run = async (actions: readonly Action[]): Promise<void> => {
      const engine = embedded();
      const history = new History(new FaultyNetwork(engine.fetch));
      await history.start();
      for (const action of actions) await history.perform(action);
      engine.close();
    };
    const histories = fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 25 }), run);
    await fc.assert(histories, { numRuns: 300, seed: 20261122 });
  });
});
