// Histories of commits over a network that delays and doubles, on two nodes that get the same log and of which one lost
// rows once: what was told stays true, and the nodes agree.
import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  align,
  type CommitId,
  creation,
  enter,
  fence,
  pruning,
  upgrade,
} from "../../src/commit/log_table.ts";
import { own } from "../../src/commit/own_statements.ts";
import type { Proof } from "../../src/commit/proof.ts";
import type { Prepared } from "../../src/sql/prepare.ts";
import { LogModel, type ModelEntry } from "./log_model.ts";
import { type LogNode, NODES, onEmbedded } from "./log_node.ts";
import { oldCreation, oldEnter, oldFence } from "./old_log.ts";

const START = 1024;
const KEPT = 100_000;
const CLIENTS = 3;

type Action =
  /** A client reads where the sequence is: the base of what it sends from now on, or what that is judged by. */
  | { readonly do: "look" | "judge"; readonly client: number }
  /** It makes a commit by what it knows, which arrives now or, as any other, later. */
  | {
    readonly do: "send";
    readonly client: number;
    readonly wrote: string | undefined;
    readonly scope: string | undefined;
    readonly hash: string | undefined;
    readonly old: boolean;
    readonly arrives: boolean;
  }
  /** A copy of any commit arrives, or another call under its id. */
  | { readonly do: "deliver"; readonly copy: number; readonly other: boolean }
  | { readonly do: "fence"; readonly copy: number; readonly old: boolean }
  | { readonly do: "prune"; readonly keep: number }
  | { readonly do: "align"; readonly behind: number }
  | { readonly do: "jump" }
  /** The other node undoes the next commits, as a statement in them fails on data of its own. */
  | { readonly do: "split"; readonly commits: number }
  /** A client that sees replicas which differ aligns them. */
  | { readonly do: "heal" };

const client = fc.nat(CLIENTS - 1);
const copy = fc.nat(19);
const table = fc.constantFrom(undefined, "t", "u");

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("look" as const, "judge" as const), client }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      client,
      wrote: table,
      scope: table,
      hash: fc.constantFrom(undefined, "h"),
      old: fc.constantFrom(false, false, false, true),
      arrives: fc.boolean(),
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      copy,
      other: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("fence" as const), copy, old: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("prune" as const), keep: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("align" as const), behind: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("jump" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("split" as const),
      commits: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("heal" as const) }) },
);

/** What an answer told of an id. */
type Told = "took effect" | "never will";

class History {
  readonly #leader: LogNode;
  readonly #follower: LogNode;
  readonly #model = new LogModel(START);
  readonly #sent: ModelEntry[] = [];
  readonly #told = new Map<string, Told>();
  /** Ids that the follower lost. */
  readonly #lost = new Set<string>();
  /** Where each client knows the sequence to have been. */
  readonly #known = new Array<number>(CLIENTS).fill(START);
  /** The state that each client judged last. */
  readonly #judged = new Array<number>(CLIENTS).fill(START);
  /** The sequence of the follower lags, and only what is not judged is judged alike. */
  #lags = false;

  constructor(leader: LogNode, follower: LogNode) {
    this.#leader = leader;
    this.#follower = follower;
  }

  async start(altered: boolean): Promise<void> {
    const form = altered ? [...oldCreation(1), ...upgrade()] : creation(1);
    const effects = own("CREATE TABLE effects(id TEXT)");
    for (const node of [this.#leader, this.#follower]) await node.apply([...form, effects]);
  }

  async perform(action: Action): Promise<void> {
    const { seq } = this.#model;
    switch (action.do) {
      case "look":
        this.#known[action.client] = seq;
        break;
      case "judge":
        this.#judged[action.client] = seq;
        break;
      case "send": {
        const entry = this.#make(action);
        if (action.arrives) await this.#deliver(entry);
        break;
      }
      case "deliver": {
        const entry = this.#at(action.copy);
        if (entry !== undefined) {
          await this.#deliver(action.other ? { ...entry, hash: "other" } : entry);
        }
        break;
      }
      case "fence":
        await this.#fence(action);
        break;
      case "prune":
        if (this.#lags) break;
        await this.#cut(pruning(seq - action.keep + KEPT), Math.max(1, seq - action.keep));
        break;
      case "align":
        this.#model.align(seq - action.behind);
        await this.#both([align(seq - action.behind)]);
        break;
      case "jump":
        await this.#cut(pruning(seq + 2 ** 20 + KEPT), seq + 2 ** 20);
        break;
      case "split":
        await this.#split(action.commits);
        break;
      case "heal":
        await this.#heal();
    }
  }

  #make({ client, wrote, scope, hash, old }: Omit<Action & { do: "send" }, "do" | "arrives">) {
    const known = old && !this.#lags
      ? { old, hash: undefined, wrote: undefined, scope: undefined }
      : { old: false, hash, wrote, scope: this.#lags ? undefined : scope };
    const base = this.#known[client]!;
    const entry = { id: `c${this.#sent.length}`, base, since: this.#judged[client]!, ...known };
    this.#sent.push(entry);
    return entry;
  }

  /** A commit that was sent; of what the follower lost it only knows that it is missing. */
  #at(copy: number): ModelEntry | undefined {
    const entry = this.#sent[copy % Math.max(1, this.#sent.length)];
    return entry === undefined || this.#lost.has(entry.id) ? undefined : entry;
  }

  async #deliver(entry: ModelEntry): Promise<void> {
    const before = this.#model.seq;
    const expected = this.#model.enter(entry);
    const proof = await this.#both(batchOf(entry), [idOf(entry)]);
    assert.equal(proof, expected, `a copy of ${JSON.stringify(entry)}`);
    if (proof === "committed") {
      this.#takesEffect(entry.id);
      if (entry.base === before) await this.#assertCaughtUp();
    }
    if (proof === "done" || proof === "reused") this.#tell(entry.id, "took effect");
  }

  async #fence({ copy, old }: Action & { do: "fence" }): Promise<void> {
    const entry = this.#at(copy);
    if (entry === undefined || (old && this.#lags)) return;
    const before = this.#model.seq;
    const expected = this.#model.fence(entry.id, entry.base);
    const proof = await this.#both([(old ? oldFence : fence)(idOf(entry))], [idOf(entry)]);
    assert.equal(proof, expected, `a fence of ${JSON.stringify(entry)}`);
    // An old fence that finds another one takes a number all the same.
    if (old && proof === "committed") this.#model.seq = before + 1;
    if (entry.base === before && this.#model.seq > before) await this.#assertCaughtUp();
    if (proof === "committed") this.#tell(entry.id, "never will");
    if (proof === "done") this.#tell(entry.id, "took effect");
  }

  /** What is under the newest base heals the sequence of a follower that lags. */
  async #assertCaughtUp(): Promise<void> {
    if (!this.#lags) return;
    const sql = "SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'";
    assert.deepEqual(await this.#follower.rows(sql), [[this.#model.seq]]);
  }

  async #cut(statements: readonly Prepared[], floor: number): Promise<void> {
    this.#model.cut(floor);
    await this.#both(statements);
  }

  async #split(commits: number): Promise<void> {
    // What was judged before may rely on what the follower loses.
    for (const { id, scope } of this.#sent) if (scope !== undefined) this.#lost.add(id);
    this.#lags = true;
    for (let i = 0; i < commits; i++) {
      this.#known.fill(this.#model.seq);
      this.#judged.fill(this.#model.seq);
      const entry = this.#make({ client: 0, wrote: "t", scope: undefined, hash: "h", old: false });
      assert.equal(this.#model.enter(entry), "committed");
      assert.equal((await this.#leader.apply(batchOf(entry), [idOf(entry)])).is, "committed");
      this.#takesEffect(entry.id);
      this.#lost.add(entry.id);
    }
    this.#known.fill(this.#model.seq);
  }

  /** From here on rows have the same numbers; those of before do not, so that pruning may tell them apart. */
  async #heal(): Promise<void> {
    if (!this.#lags) return;
    await this.#both([align(this.#model.seq)]);
    for (const { id } of this.#sent) this.#lost.add(id);
    this.#known.fill(this.#model.seq);
    this.#judged.fill(this.#model.seq);
    this.#lags = false;
  }

  /** The same entry of the log on both nodes; they agree on it. */
  async #both(
    statements: readonly Prepared[],
    ids: readonly CommitId[] = [],
  ): Promise<Proof["is"]> {
    const { is } = await this.#leader.apply(statements, ids);
    const other = await this.#follower.apply(statements, ids);
    assert.equal(other.is, is, "the follower disagrees");
    return is;
  }

  #takesEffect(id: string): void {
    assert.equal(this.#told.get(id), undefined, `${id} takes effect although it was told that it`);
    this.#told.set(id, "took effect");
  }

  #tell(id: string, told: Told): void {
    assert.equal(this.#told.get(id) ?? told, told, `${id}: told before, and now`);
    this.#told.set(id, told);
  }

  /** Every effect is there once, on the leader and, if it was not lost, on the follower. */
  async end(): Promise<void> {
    const effects = [...this.#told].flatMap(([id, told]) => told === "took effect" ? [id] : []);
    const read = async (node: LogNode) => (await node.rows("SELECT id FROM effects")).flat().sort();
    assert.deepEqual(await read(this.#leader), effects.sort());
    const missing = (await read(this.#leader)).filter((id) => !this.#lost.has(String(id)));
    const there = new Set(await read(this.#follower));
    assert.deepEqual(missing.filter((id) => !there.has(id)), []);
    const log = "SELECT n, id, state FROM _rqlite_commit ORDER BY n DESC LIMIT 1";
    const [last] = await this.#leader.rows(log);
    assert.ok(Number(last?.[0]) <= this.#model.seq);
  }
}

function idOf({ id, base }: ModelEntry): CommitId {
  return { id, base, minted: true };
}

function batchOf(entry: ModelEntry): Prepared[] {
  const effect = own("INSERT INTO effects VALUES(?)", entry.id);
  if (entry.old) return [oldEnter(idOf(entry)), effect];
  const list = (name: string | undefined) => name === undefined ? [] : [name];
  const { hash, since } = entry;
  const names = { wrote: list(entry.wrote), scopes: list(entry.scope), tables: [] };
  return [enter({ id: idOf(entry), hash, since, ...names }), effect];
}

async function tell(run: (body: (node: LogNode) => Promise<void>) => Promise<void>, runs: number) {
  const history = async (altered: boolean, actions: readonly Action[]): Promise<void> => {
    await run((leader) =>
      onEmbedded(async (follower) => {
        await leader.each([
          own("DROP TABLE IF EXISTS _rqlite_commit"),
          own("DROP TABLE IF EXISTS effects"),
        ]);
        const told = new History(leader, follower);
        await told.start(altered);
        for (const action of actions) await told.perform(action);
        await told.end();
      })
    );
  };
  const histories = fc.array(action, { minLength: 10, maxLength: 50 });
  await fc.assert(fc.asyncProperty(fc.boolean(), histories, history), {
    numRuns: runs,
    seed: 20261129,
  });
}

describe("the commit log under every order of copies", () => {
  it("keeps what was told on two nodes that agree, of which one lost rows", () =>
    tell(onEmbedded, 400));

  const [, server] = NODES;
  it(
    "does the same where the leader is rqlited",
    { skip: server!.skip },
    () => server!.run((node) => tell((body) => body(node), 20)),
  );
});
