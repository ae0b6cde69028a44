// Commands of one transaction, a second client, a signal and a client that is closed, in any order: the states are those
// of the record, what is told is what one order of everything would tell, and what is stored is what was committed.
import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  type Interceptor,
  InterfaceError,
  type Transaction,
  TransactionConflictError,
} from "../../mod.ts";
import { holdsId } from "../support/commits.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Event, SHOWN, type State, TRANSITIONS } from "../../src/transaction/states.ts";

/** A table as people have it: what a clock, chance and a trigger write, nobody is told. */
const SCHEMA = `
  CREATE TABLE t(
    id INTEGER PRIMARY KEY,
    n INTEGER,
    token TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TEXT
  );
  CREATE TRIGGER touch AFTER UPDATE OF n ON t BEGIN
    UPDATE t SET updated_at = datetime('now') WHERE id = new.id;
  END;
  CREATE VIEW numbers AS SELECT id, n FROM t;
`;
const READ = "SELECT id, n FROM numbers ORDER BY id";
const INSERT = "INSERT INTO t(id, n) VALUES(?, ?)";
const REPLACE = "INSERT OR REPLACE INTO t(id, n) VALUES(?, ?)";
const UPDATE = "UPDATE t SET n = n + ? WHERE id = ?";
const URL = "http://embedded:4001";
const WORDS = /^The transaction is (being committed|committed|rolled back|over, and its outcome)/;

type Rows = ReadonlyMap<number, number>;

/** What was done, and what it told. */
type Done =
  | { readonly does: "read"; readonly told: string }
  | { readonly does: "insert"; readonly id: number; readonly n: number }
  | { readonly does: "update"; readonly id: number; readonly n: number; readonly told: number };

/** The record, a small list of rows, and what was done on them. */
class Model {
  state: State = "active";
  stored: Rows = new Map();
  done: Done[] = [];
  savepoints: { readonly name: string; readonly at: number }[] = [];
  /** Why nothing can be committed, if so. */
  reason: unknown;
  aborted = false;
  closed = false;
  /** The error of a statement that nobody has looked at. */
  unseen = false;

  /** Whether calls go through an interceptor. */
  passes = false;

  begin(passes: boolean): void {
    Object.assign(this, new Model(), { stored: this.stored, passes });
  }

  move(event: Event): void {
    const next = TRANSITIONS[this.state][event];
    if (typeof next !== "string") assert.fail(`${event} while ${this.state}`);
    this.state = next;
  }

  get over(): boolean {
    return SHOWN[this.state] !== "active";
  }

  /** What is there behind everything that was done; `undefined` if something would tell anything else now. */
  get rows(): Rows | undefined {
    const rows = new Map(this.stored);
    for (const one of this.done) {
      if (one.does === "read" && one.told !== shown(rows)) return undefined;
      if (one.does === "insert") {
        if (rows.has(one.id)) return undefined;
        rows.set(one.id, one.n);
      }
      if (one.does === "update") {
        const before = rows.get(one.id);
        if (one.told !== (before === undefined ? 0 : 1)) return undefined;
        if (before !== undefined) rows.set(one.id, before + one.n);
      }
    }
    return rows;
  }
}

/** What the commands are run on. */
class Real {
  readonly other: Client;
  db!: Client;
  tx!: Transaction;
  controller = new AbortController();
  /** What becomes of a commit: it is lost on its way there, or on the way back, as the caller gives up. */
  fate: "passes" | "is lost" | "arrives, its answer is lost" = "passes";
  /** Called while a commit is under way. */
  meanwhile: (() => Promise<void>) | undefined;
  /** Calls wait for it on their way through the interceptor. */
  gate: Promise<void> | undefined;
  readonly #fetch: typeof fetch;

  constructor(node: typeof fetch) {
    this.#fetch = async (input, init) => {
      const commits = holdsId(String(init?.body));
      if (commits && this.meanwhile !== undefined) {
        const { meanwhile } = this;
        // Not when its id is settled.
        this.meanwhile = undefined;
        await meanwhile();
      }
      const loses = this.fate !== "passes" && commits;
      if (!loses || this.fate !== "is lost") {
        const response = await node(input, init);
        if (!loses) return response;
        await response.body?.cancel();
      }
      this.controller.abort("aborted");
      throw new TypeError("fetch failed");
    };
    this.other = connect(URL, { fetch: node });
  }

  /** @param passes Whether its calls go through an interceptor. */
  async begin(passes: boolean): Promise<void> {
    await this.db?.close();
    const interceptor: Interceptor = (next) => async (call) => {
      await this.gate;
      // Another object, so that it is made once more.
      const statements = call.statements.map((statement) => ({ ...statement }));
      return await next({ ...call, statements });
    };
    this.db = connect(URL, {
      fetch: this.#fetch,
      retries: 0,
      ...(passes && { interceptors: [interceptor] }),
    });
    this.controller = new AbortController();
    this.tx = await this.db.begin({ signal: this.controller.signal });
  }

  async close(): Promise<void> {
    await this.db.close();
    await this.other.close();
  }
}

type Command = fc.AsyncCommand<Model, Real>;

function shown(rows: Rows): string {
  return JSON.stringify([...rows].sort(([a], [b]) => a - b));
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A command, after which the state and the rows have to be those of the model. */
function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Model) => boolean = () => true,
): Command {
  return {
    check,
    toString: () => name,
    async run(model, real) {
      const { over } = model;
      const { stored, state } = model;
      await run(model, real);
      assert.equal(real.tx.state, SHOWN[model.state]);
      const { rows } = await real.other.query<number[]>(READ, [], { rows: "array" });
      assert.equal(JSON.stringify(rows), shown(model.stored));
      // Whatever the record says, nothing comes behind an end.
      if (!over || name === "begin") return;
      assert.equal(model.state, state);
      if (!name.startsWith("foreign")) assert.equal(model.stored, stored);
    },
  };
}

/**
 * A call of the transaction.
 *
 * @param told What it answers where everything that was told still holds; it throws the error's name.
 */
function call(
  name: string,
  work: (tx: Transaction) => Promise<unknown>,
  told: (model: Model, answer: unknown) => string | undefined,
  sends = true,
): Command {
  return command(name, async (model, { tx }) => {
    let answer: unknown;
    const error = await errorOf(work(tx).then((value) => answer = value));
    if (model.aborted) return assert.equal(error, "aborted");
    // Whatever the record says, a transaction that is over takes nothing.
    if (model.over) return assertRefused(error);
    model.move("statement");
    if (sends && model.reason !== undefined) return assert.equal(error, model.reason);
    if (sends && model.closed) return assert.ok(error instanceof InterfaceError, String(error));
    const broken = model.rows === undefined;
    if (sends && broken && error instanceof TransactionConflictError) {
      model.reason = error;
      return model.move("doom");
    }
    const wanted = told(model, answer);
    if (!broken || !sends) assert.equal((error as Error | undefined)?.name, wanted, String(error));
  });
}

function assertRefused(error: unknown): void {
  assert.ok(error instanceof InterfaceError && WORDS.test(error.message), String(error));
}

const id = fc.nat(3);
const n = fc.nat(9);

/** An INSERT, as far as the model takes it. */
function takeInsert(model: Model, id: number, n: number, answer: unknown): string | undefined {
  const taken = model.rows?.has(id) ?? answer === undefined;
  if (taken) return "IntegrityError";
  model.done.push({ does: "insert", id, n });
  return undefined;
}

const insert = fc.tuple(id, n).map(([id, n]) =>
  call(
    `insert ${id}`,
    (tx) => tx.execute(INSERT, [id, n]),
    (model, answer) => takeInsert(model, id, n, answer),
  )
);

const update = fc.tuple(id, n).map(([id, n]) =>
  call(`update ${id}`, (tx) => tx.execute(UPDATE, [n, id]), (model, answer) => {
    if (answer === undefined) return undefined;
    const { rowsAffected } = answer as { rowsAffected: number };
    const { rows } = model;
    if (rows !== undefined) assert.equal(rowsAffected, rows.has(id) ? 1 : 0);
    model.done.push({ does: "update", id, n, told: rowsAffected });
    return undefined;
  })
);

const read = fc.constant(
  call("read", (tx) => tx.query(READ, [], { rows: "array" }), (model, answer) => {
    if (answer === undefined) return undefined;
    const { rows } = answer as { rows: number[][] };
    const told = JSON.stringify(rows);
    if (model.rows !== undefined) assert.equal(told, shown(model.rows));
    model.done.push({ does: "read", told });
    return undefined;
  }),
);

const batch = fc.tuple(id, n).map(([id, n]) =>
  call(
    `batch ${id}`,
    (tx) => tx.batch([[INSERT, id, n], [UPDATE, n, id]]),
    (model, answer) => {
      const failed = takeInsert(model, id, n, answer);
      if (failed === undefined) model.done.push({ does: "update", id, n, told: 1 });
      return failed;
    },
  )
);

const failing = fc.constant(
  call("failing", (tx) => tx.query("SELECT missing FROM t"), () => "ProgrammingError"),
);

const savepoint = fc.constantFrom("a", "b").map((name) =>
  call(`savepoint ${name}`, (tx) => tx.savepoint(name), (model) => {
    model.savepoints.push({ name, at: model.done.length });
    return undefined;
  }, false)
);

const rollbackTo = fc.constantFrom("a", "b").map((name) =>
  call(`rollback to ${name}`, (tx) => tx.rollbackTo(name), (model) => {
    const i = model.savepoints.findLastIndex((one) => one.name === name);
    if (i < 0) return "ProgrammingError";
    const { at } = model.savepoints[i]!;
    model.savepoints.length = i + 1;
    const write = model.done.findIndex(({ does }, place) => place >= at && does !== "read");
    if (write >= 0) model.done.length = write;
    return undefined;
  }, false)
);

const release = fc.constantFrom("a", "b").map((name) =>
  call(`release ${name}`, (tx) => tx.release(name), (model) => {
    const i = model.savepoints.findLastIndex((one) => one.name === name);
    if (i < 0) return "ProgrammingError";
    model.savepoints.length = i;
    return undefined;
  }, false)
);

/** Takes the end of a commit that was called for. @param error Of it, if it has failed. */
function takeEnd(model: Model, error: unknown): void {
  const { rows, done } = model;
  const refuse = () => {
    assert.ok(error);
    model.move("refuse");
  };
  if (model.unseen) {
    assert.equal((error as Error | undefined)?.name, "ProgrammingError");
    return refuse();
  }
  if (model.state === "failing") {
    assert.equal(error, model.reason);
    return refuse();
  }
  model.move("done");
  if (model.closed && done.length > 0) {
    assert.ok(error instanceof InterfaceError, String(error));
    return refuse();
  }
  if (done.some(({ does }) => does !== "read")) model.move("send");
  if (rows === undefined) {
    assert.ok(error instanceof TransactionConflictError, String(error));
    return refuse();
  }
  assert.equal(error, undefined);
  model.stored = rows;
  model.move("succeed");
}

/** While a transaction commits, nothing else comes in between. */
async function refusesAll(tx: Transaction): Promise<void> {
  for (const call of [() => tx.query(READ), () => tx.savepoint(), () => tx.commit()]) {
    assertRefused(await errorOf(call()));
  }
  await tx.rollback();
  assert.equal(tx.state, "active");
}

const commit = fc.constant(command("commit", async (model, real) => {
  real.meanwhile = () => refusesAll(real.tx);
  const error = await errorOf(real.tx.commit());
  real.meanwhile = undefined;
  if (model.aborted) return assert.equal(error, "aborted");
  if (model.over) return assertRefused(error);
  model.move("commit");
  takeEnd(model, error);
}));

/** Nobody can tell whether it arrived. */
const lost = fc.constantFrom("is lost", "arrives, its answer is lost").map((fate) =>
  command(
    `commit ${fate}`,
    async (model, real) => {
      real.fate = fate as Real["fate"];
      const error = await errorOf(real.tx.commit());
      real.fate = "passes";
      assert.ok(error);
      for (const event of ["commit", "done", "send", "lose"] as const) model.move(event);
      if (fate !== "is lost") model.stored = model.rows ?? assert.fail();
      model.aborted = true;
    },
    (model) =>
      model.state === "active" && !model.unseen && !model.closed && model.rows !== undefined &&
      model.done.some(({ does }) => does !== "read"),
  )
);

/** While an interceptor holds a statement up, the commit waits for it; what is rolled back takes it no more. */
const held = fc.tuple(fc.boolean(), fc.boolean()).map(([commits, dooms]) =>
  command(
    `${dooms ? "doom and " : ""}${commits ? "commit" : "rollback"} behind a held statement`,
    async (model, real) => {
      const { tx } = real;
      if (dooms && model.reason === undefined) {
        const nested = tx.transaction(async () => {
          await tx.savepoint("c");
          throw new Error("thrown");
        });
        assert.equal((await errorOf(nested) as Error).message, "thrown");
        model.move("doom");
        model.reason = await errorOf(tx.execute(UPDATE, [1, 0]));
      }
      let open!: () => void;
      real.gate = new Promise((resolve) => open = resolve);
      let rowsAffected = 0;
      const update = errorOf(
        tx.execute(UPDATE, [1, 0]).then((result) => rowsAffected = result.rowsAffected),
      );
      const ended = errorOf(commits ? tx.commit() : tx.rollback());
      if (commits) await refusesAll(tx);
      open();
      real.gate = undefined;
      if (!commits) {
        assertRefused(await update);
        assert.equal(await ended, undefined);
        return model.move("rollback");
      }
      model.move("commit");
      model.move("pass on");
      assert.equal(await update, model.reason);
      if (model.reason === undefined) {
        model.done.push({ does: "update", id: 0, n: 1, told: rowsAffected });
      }
      const error = await ended;
      takeEnd(model, error);
    },
    (model) =>
      model.passes && !model.over && !model.unseen && !model.closed &&
      (model.rows !== undefined || model.reason !== undefined),
  )
);

/** A commit that is called for while a statement runs, which the caller may give up meanwhile. */
const atOnce = fc.tuple(id, fc.constantFrom("", ", and abort", ", and collide")).map((
  [id, how],
) =>
  command(
    `commit as insert ${id} runs${how}`,
    async (model, { tx, controller, other }) => {
      const aborts = how === ", and abort";
      if (how === ", and collide" && model.rows !== undefined) {
        const { rows } = await tx.query(READ, [], { rows: "array" });
        model.done.push({ does: "read", told: JSON.stringify(rows) });
        await other.execute(REPLACE, [id, 77]);
        model.stored = new Map([...model.stored, [id, 77]]);
      }
      const insert = errorOf(tx.execute(INSERT, [id, 1]));
      const ended = errorOf(tx.commit());
      if (aborts) controller.abort("aborted");
      const error = await insert;
      model.move("commit");
      if (aborts) {
        assert.equal(error, "aborted");
        assert.equal(await ended, "aborted");
        model.aborted = true;
        return model.move("lose");
      }
      if (error === undefined) model.done.push({ does: "insert", id, n: 1 });
      else {
        assert.equal(await ended, error);
        if (error instanceof TransactionConflictError && model.reason === undefined) {
          model.move("doom");
        }
        return model.move("refuse");
      }
      takeEnd(model, await ended);
    },
    (model) =>
      !model.passes && !model.over && !model.unseen && !model.closed && model.reason === undefined,
  )
);

/** Of a nested transaction that inserts: what is done around it, and how it ends. */
const nested = fc.tuple(id, fc.boolean(), fc.boolean()).map(([id, around, throws]) =>
  command(
    `nested ${id}${around ? ", around it" : ""}${throws ? ", throws" : ""}`,
    async (model, { tx }) => {
      let inner: Transaction | undefined;
      const before = [...model.done];
      const error = await errorOf(tx.transaction(async (given) => {
        inner = given;
        await given.execute(UPDATE, [1, id]);
        if (around) await tx.savepoint("c");
        if (throws) throw new Error("thrown");
      }));
      assert.equal((error as Error | undefined)?.message, throws ? "thrown" : undefined);
      const late = await errorOf(inner!.query(READ));
      assert.ok(late instanceof InterfaceError && /nested transaction is over/.test(late.message));
      const told = model.rows?.has(id) ? 1 : 0;
      model.move("statement");
      if (!throws) model.done.push({ does: "update", id, n: 1, told });
      else model.done = before;
      // What was issued around it cannot be told apart from what was undone.
      if (!throws || !around) return;
      model.move("doom");
      model.reason = await errorOf(tx.execute(UPDATE, [1, id]));
      const { message } = model.reason as Error;
      assert.match(message, /cannot be told apart/);
    },
    (model) => model.state === "active" && !model.closed && model.rows !== undefined,
  )
);

const rollback = fc.constant(command("rollback", async (model, { tx }) => {
  await tx.rollback();
  model.move("rollback");
}));

const unseen = fc.constant(command(
  "failing, and nobody looks",
  async (model, { tx }) => {
    tx.query("SELECT missing FROM t");
    // Behind it in the queue.
    await tx.savepoint("c");
    model.move("statement");
    model.unseen = true;
  },
  (model) => model.state === "active" && !model.closed && model.rows !== undefined,
));

const abort = fc.constant(command("abort", async (model, { controller }) => {
  controller.abort("aborted");
  await undefined;
  model.aborted ||= !model.over;
  model.move("rollback");
}, (model) => !model.over));

const close = fc.constant(command("close", async (model, { db }) => {
  await db.close();
  model.closed = true;
}, (model) => !model.closed));

const foreign = fc.tuple(id, n).map(([id, n]) =>
  command(`foreign ${id}`, async (model, { other }) => {
    await other.execute(REPLACE, [id, n]);
    model.stored = new Map([...model.stored, [id, n]]);
  })
);

const begin = fc.boolean().map((passes) =>
  command("begin", async (model, real) => {
    if (!model.over) await real.tx.rollback();
    await real.begin(passes);
    model.begin(passes);
  }, (model) => model.over || model.closed)
);

describe("a transaction", () => {
  it("goes from state to state as the record says, and tells what is stored", async () => {
    const commands = fc.commands(
      [
        ...[insert, insert, update, read, batch, failing, savepoint, rollbackTo, release],
        ...[
          commit,
          commit,
          lost,
          held,
          held,
          atOnce,
          atOnce,
          nested,
          nested,
          rollback,
          unseen,
          abort,
          close,
          foreign,
          foreign,
        ],
        ...[begin, begin, begin, begin, begin],
      ],
      { maxCommands: 60, size: "max" },
    );
    await fc.assert(
      fc.asyncProperty(commands, async (commands) => {
        const engine = embedded(":memory:");
        try {
          const real = new Real(engine.fetch);
          await real.other.script(SCHEMA);
          await real.begin(false);
          await fc.asyncModelRun(() => ({ model: new Model(), real }), commands);
          await real.close();
        } finally {
          engine.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});
