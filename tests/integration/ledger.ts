import assert from "node:assert/strict";
import { type Client, OutcomeUnknownError, RqliteError } from "../../mod.ts";
import { sleep, until } from "../support/http.ts";
import type { Rqlited } from "../support/rqlited.ts";
import { table } from "./helpers.ts";

/** What a client was told about its inserts, to be compared with what is there. */
export class Ledger {
  readonly applied: string[] = [];
  readonly refused: string[] = [];
  readonly unknown: string[] = [];
  /** What was not an error of the package; there must be none. */
  readonly strange: unknown[] = [];
  #tasks: Promise<void>[] = [];
  #stopped = false;
  #running = 0;

  /** Lets `tasks` insert ids of their own through `db`, one after another, until `stop()`. */
  start(db: Client, prefix: string, tasks = 6): void {
    for (let task = 0; task < tasks; task++) {
      this.#running++;
      this.#tasks.push(this.#insert(db, `${prefix}-${task}`).finally(() => this.#running--));
    }
  }

  async #insert(db: Client, name: string): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const id = `${name}-${i}`;
      try {
        await db.execute("INSERT INTO ledger(id) VALUES(?)", [id]);
        this.applied.push(id);
      } catch (error) {
        if (error instanceof OutcomeUnknownError) this.unknown.push(id);
        else if (error instanceof RqliteError) this.refused.push(id);
        else this.strange.push(error);
      }
      await sleep(5);
    }
  }

  /** Waits until `more` inserts have succeeded from now on. */
  async progress(more: number): Promise<void> {
    const wanted = this.applied.length + more;
    await until(
      "progress of the inserts",
      () => Promise.resolve(this.applied.length >= wanted || undefined),
      {
        details: () =>
          JSON.stringify({ running: this.#running, strange: this.strange.map(String) }),
      },
    );
  }

  /** Ends the tasks after what they have under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#tasks);
  }

  /** Applied is there once, refused is not, unknown at most once, and nothing else is there. */
  async check(server: Rqlited): Promise<void> {
    assert.deepEqual(this.strange, []);
    const sql = "SELECT id, count(*) FROM ledger GROUP BY id";
    // A leader that was just woken up may still have to find out that it is none any more.
    const rows = await until("the rows", () => table(server, sql).catch(() => undefined));
    const found = new Map(rows.map(([id, n]) => [String(id), Number(n)]));
    const wrong = (ids: readonly string[], fits: (n: number) => boolean) =>
      ids.filter((id) => !fits(found.get(id) ?? 0));
    assert.deepEqual(wrong(this.applied, (n) => n === 1), [], "applied, and there exactly once");
    assert.deepEqual(wrong(this.refused, (n) => n === 0), [], "not applied, and not there");
    assert.deepEqual(wrong(this.unknown, (n) => n <= 1), [], "unknown, and there at most once");
    const known = new Set([...this.applied, ...this.refused, ...this.unknown]);
    assert.deepEqual([...found.keys()].filter((id) => !known.has(id)), []);
  }
}
