/**
 * Tasks of one process raise a counter: updates are lost without a lock, and none with one. Needs no server.
 *
 *     deno run -A examples/locks/local.ts
 *
 * Also `bun examples/locks/local.ts` and `node examples/locks/local.ts`.
 */

// In your project these are "@tangled/rqlite", "@tangled/rqlite/embedded" and "@tangled/rqlite/locks".
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { detail, done, heading } from "../terminal.ts";
import { raise, read, reset } from "./counter.ts";

const TASKS = 8;
const ROUNDS = 25;

const db = connect(embedded());

async function race(once: () => Promise<void>): Promise<void> {
  await reset(db);
  const task = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round++) await once();
  };
  await Promise.all(Array.from({ length: TASKS }, task));
  done(`${TASKS} tasks added 1 ${ROUNDS} times each: 0 became ${await read(db)}`);
}

heading("Without a lock");
await race(() => raise(db));
detail("Between reading and writing, another task changed the counter");

heading("With a lock");
const lock = new LocalLock("demo_counter");
await race(() => withLock(lock, () => raise(db)));
detail("Other processes know nothing of it: they need a lock in rqlite, Redis or Valkey");

await db.close();
