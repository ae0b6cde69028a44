// Calls under chosen ids over a network that loses, keeps and doubles requests, questions by a second client, and copies that
// arrive late, in any order: what is told of an id stays true, and what is stored is what was told.
import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  IntegrityError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Copy, type Fate, FaultyNetwork } from "../support/faulty_network.ts";

const URL = "http://embedded:4001";

/** A table as people have it: each copy of a write stores the same token and time, and the trigger runs once. */
const SCHEMA = `
  CREATE TABLE hits(
    id TEXT,
    n INTEGER UNIQUE,
    token TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
  );
  CREATE TABLE log(n INTEGER);
  CREATE TRIGGER logged AFTER INSERT ON hits BEGIN INSERT INTO log VALUES(new.n); END;
`;
const IDS = ["a", "b", "c"] as const;
/** A row with it is there: whoever writes it is refused. */
const TAKEN = 0;

type Id = typeof IDS[number];

/** Where an id stands. */
type State =
  | "open"
  /** No call under it takes effect any more. */
  | "spent"
  /** The call that wrote this number did. */
  | number;

/** What becomes of the requests of one call. */
const NETWORKS = {
  "passes all": ["pass"],
  "doubles all": ["double"],
  "loses the first answer": ["lose answer", "pass"],
  "keeps the first": ["delay", "pass"],
  "loses all answers": ["lose answer"],
  "keeps all": ["delay"],
} as const satisfies Record<string, readonly Fate[]>;

type Network = keyof typeof NETWORKS;

/** What a call is told. */
type Told = "done" | "done before" | "refused" | "reused" | "not applied" | "unknown";

class Model {
  readonly ids = new Map<Id, State>(IDS.map((id) => [id, "open"]));
  /** What arrives late, in order: writes by their number, and fences. */
  readonly kept: { readonly id: Id; readonly n: number | "fence" }[] = [];

  of(id: Id): State {
    return this.ids.get(id) ?? "open";
  }

  /** A call arrives, or does not. */
  write(id: Id, n: number, network: Network): Told {
    const before = this.of(id);
    if (network === "keeps all") {
      this.kept.push({ id, n }, { id, n: "fence" });
      return "unknown";
    }
    if (network !== "keeps the first") this.arrive(id, n);
    // The write was refused, or is fenced where it is under way.
    if (this.of(id) === "open") this.ids.set(id, "spent");
    if (network === "loses all answers") return "unknown";
    const after = this.of(id);
    if (typeof after === "number" && after !== n) return "reused";
    if (after === n) return before === "open" && network === "passes all" ? "done" : "done before";
    const refused = network === "passes all" || network === "doubles all";
    return before === "open" && refused ? "refused" : "not applied";
  }

  arrive(id: Id, n: number | "fence"): void {
    if (this.of(id) !== "open" || n === TAKEN) return;
    this.ids.set(id, n === "fence" ? "spent" : n);
  }
}

class Real {
  readonly network: FaultyNetwork;
  readonly db: Client;
  /** Another client, whose requests all arrive. */
  readonly other: Client;

  constructor(node: typeof fetch) {
    this.network = new FaultyNetwork(node);
    this.db = connect(URL, { fetch: this.network.fetch as typeof fetch, retries: 0 });
    this.other = connect(URL, { fetch: node });
  }

  async start(): Promise<void> {
    await this.db.script(SCHEMA);
    await this.db.execute("INSERT INTO hits(id, n) VALUES('taken', ?)", [TAKEN]);
    this.network.copies.length = 0;
  }

  /** Lets everything arrive once more, or for the first time, in order. */
  async deliver(): Promise<void> {
    const copies: Copy[] = [...this.network.copies];
    for (const copy of copies) await this.network.deliver(copy);
  }
}

/** What a call under an id is told. */
async function told(call: Promise<{ readonly rowsAffected: number }>, id: Id): Promise<Told> {
  try {
    return (await call).rowsAffected === 1 ? "done" : "done before";
  } catch (error) {
    if (error instanceof IntegrityError) return "refused";
    if (error instanceof ProgrammingError) return "reused";
    if (!(error instanceof OutcomeUnknownError)) {
      assert.ok(error instanceof OperationalError, String(error));
      return "not applied";
    }
    assert.equal(error.id, id);
    return "unknown";
  }
}

type Command = fc.AsyncCommand<Model, Real>;

function command(name: string, run: (model: Model, real: Real) => Promise<void>): Command {
  return { check: () => true, run, toString: () => name };
}

const id = fc.constantFrom(...IDS);
const sql = "INSERT INTO hits(id, n) VALUES(?, ?)";

const write = fc.record({
  id,
  n: fc.nat(IDS.length),
  network: fc.constantFrom(...Object.keys(NETWORKS) as Network[]),
}).map(({ id, n, network }) => {
  // Each id has numbers of its own, so that only the one that is taken is refused.
  const value = n === TAKEN ? TAKEN : 10 * (1 + IDS.indexOf(id)) + n;
  return command(`write ${value} under ${id}, ${network}`, async (model, real) => {
    const fates: readonly Fate[] = NETWORKS[network];
    let sent = 0;
    real.network.plan = () => fates[sent++] ?? fates.at(-1);
    const expected = model.write(id, value, network);
    assert.equal(await told(real.db.execute(sql, [id, value], { id }), id), expected);
  });
});

const ask = fc.record({ id, other: fc.boolean() }).map(({ id, other }) =>
  command(`outcome of ${id}${other ? ", by another client" : ""}`, async (model, real) => {
    real.network.plan = () => "pass";
    model.arrive(id, "fence");
    const expected = model.of(id) === "spent" ? "not committed" : "committed";
    assert.equal(await (other ? real.other : real.db).outcome(id), expected);
  })
);

const deliver = fc.constant(command("all copies arrive", async (model, real) => {
  for (const { id, n } of model.kept.splice(0)) model.arrive(id, n);
  await real.deliver();
}));

describe("an id that a caller chose", () => {
  it("is told the same by every call, and stored as it was told, whatever the network does", async () => {
    const commands = fc.commands([write, write, write, ask, deliver], {
      maxCommands: 20,
      size: "max",
    });
    await fc.assert(
      fc.asyncProperty(commands, async (commands) => {
        const engine = embedded();
        try {
          const real = new Real(engine.fetch);
          await real.start();
          const model = new Model();
          await fc.asyncModelRun(() => ({ model, real }), commands);
          const { rows } = await real.other.query(
            "SELECT id, hits.n FROM log LEFT JOIN hits ON hits.n = log.n ORDER BY id",
            [],
            { rows: "array" },
          );
          const stored = IDS.flatMap((id) => {
            const state = model.of(id);
            return typeof state === "number" ? [[id, state]] : [];
          });
          assert.deepEqual(rows, [...stored, ["taken", TAKEN]]);
        } finally {
          engine.close();
        }
      }),
      { numRuns: 25, seed: 20261130 },
    );
  });
});
