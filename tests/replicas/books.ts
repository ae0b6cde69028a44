import assert from "node:assert/strict";
import { type Client, OutcomeUnknownError, RqliteError } from "../../mod.ts";
import type { Cluster } from "../support/cluster.ts";
import { sleep, until } from "../support/http.ts";
import { rowsOfEach } from "../support/replicas.ts";

/** What a program was told about its transactions, to be compared with what is on each node. */
export class Books {
  readonly #applied: string[] = [];
  readonly #unknown: string[] = [];
  readonly #refused: string[] = [];
  readonly #strange: unknown[] = [];
  #tasks: Promise<void>[] = [];
  #stopped = false;

  /** Lets `tasks` work until `stop()`: each transaction inserts a note, reads it back and counts a row of the task's own. */
  start(client: Client, tasks: number): void {
    for (let task = 0; task < tasks; task++) this.#tasks.push(this.#work(client, task));
  }

  async #work(client: Client, task: number): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const key = `${task}-${n}`;
      try {
        await enter(client, task, key);
        this.#applied.push(key);
      } catch (error) {
        if (error instanceof OutcomeUnknownError) this.#unknown.push(key);
        else if (error instanceof RqliteError) this.#refused.push(key);
        else this.#strange.push(error);
        await sleep(20);
      }
    }
  }

  /** Waits until `more` transactions have been acknowledged from now on. */
  async progress(more: number): Promise<void> {
    const wanted = this.#applied.length + more;
    await until(
      "progress of the transactions",
      () => Promise.resolve(this.#applied.length >= wanted || undefined),
      { details: () => String(this.#strange) },
    );
  }

  /** Ends the tasks after what they have under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#tasks);
  }

  /** On every node: what was acknowledged once, what was refused never, what is unknown once at most. */
  async check(cluster: Cluster): Promise<void> {
    assert.deepEqual(this.#strange, []);
    for (const rows of await rowsOfEach(cluster, "SELECT body FROM notes")) {
      const there = Map.groupBy(rows.map(([body]) => String(body)), (body) => body);
      const wrong = (keys: readonly string[], fits: (n: number) => boolean) =>
        keys.filter((key) => !fits(there.get(key)?.length ?? 0));
      assert.deepEqual(wrong(this.#applied, (n) => n === 1), [], "acknowledged");
      assert.deepEqual(wrong(this.#refused, (n) => n === 0), [], "refused");
      assert.deepEqual(wrong(this.#unknown, (n) => n <= 1), [], "unknown");
    }
    const counted = "SELECT (SELECT sum(n) FROM counters), (SELECT count(*) FROM notes)";
    for (const [row] of await rowsOfEach(cluster, counted)) assert.equal(row![0], row![1]);
  }
}

/** What the tasks work on. */
export const BOOK_TABLES: readonly string[] = [
  "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT, created_at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE counters(task INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)",
];

async function enter(client: Client, task: number, key: string): Promise<void> {
  await client.transaction(async (tx) => {
    await tx.execute("INSERT INTO notes(body) VALUES(?)", [key]);
    const { rows } = await tx.query("SELECT * FROM notes WHERE body = ?", [key]);
    const counter = "INSERT INTO counters VALUES(?, 1) ON CONFLICT DO UPDATE SET n = n + 1";
    await tx.execute(counter, [task]);
    assert.equal(rows.length, 1);
  });
}
