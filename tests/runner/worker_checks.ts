import assert from "node:assert/strict";
import { connect } from "../../mod.ts";
import { until } from "../support/http.ts";
import type { WorkerApp } from "./worker_app.ts";

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

async function numberIn(database: string, sql: string): Promise<number> {
  const db = connect(database);
  const { rows } = await db.query<{ n: number }>(sql);
  await db.close();
  return rows[0]!.n;
}

function total(database: string): Promise<number> {
  return numberIn(database, "SELECT sum(euros) AS n FROM accounts");
}

type Checks = Readonly<Record<string, (app: WorkerApp) => Promise<void>>>;

/** What is expected of the example app. */
const APP: Checks = {
  "a Worker answers two requests in a row with one client": async ({ url }) => {
    for (const text of ["first", "second"]) {
      const response = await post(`${url}/notes`, { text });
      assert.deepEqual([response.status, (await response.json()).text], [201, text]);
    }
    assert.equal((await (await fetch(`${url}/notes`)).json()).length, 2);
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { ready: true });
  },

  "a Worker answers 50 reads at once": async ({ url }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => {
      const response = await fetch(`${url}/notes`);
      return [response.status, (await response.json()).length];
    }));
    assert.deepEqual(answers, Array.from({ length: 50 }, () => [200, 2]));
  },

  "a Worker keeps each of 50 transfers at once, or says that it did not": async (app) => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => {
      const response = await post(`${app.url}/transfers`, { from: "Ada", to: "Bob", euros: 1 });
      await response.body?.cancel();
      return response.status;
    }));
    const kept = answers.filter((status) => status === 200).length;
    assert.ok(kept > 0);
    assert.deepEqual(answers.filter((status) => status !== 200 && status !== 409), []);
    const { Ada, Bob } = await balances(app);
    assert.deepEqual({ Ada, Bob }, { Ada: 100 - kept, Bob: 100 + kept });
    assert.equal(await total(app.database), 200);
  },

  "a Worker answers 60 requests at once that read and write, also beside some that are given up":
    async ({ url }) => {
      for (const givenUp of [0, 20]) {
        const leaving = Array.from({ length: givenUp }, async (_, i) => {
          const signal = AbortSignal.timeout(1 + i);
          const write = { method: "POST", body: JSON.stringify({ text: "given up" }), signal };
          const sent = fetch(`${url}/notes`, i % 2 === 0 ? write : { signal });
          await sent.then((response) => response.body?.cancel(), () => {});
        });
        const answers = Array.from({ length: 60 }, async (_, i) => {
          const text = `${givenUp}-${i}`;
          const response = i % 3 === 0
            ? await fetch(`${url}/notes`)
            : await post(`${url}/notes`, { text });
          const told = await response.json();
          return i % 3 === 0 ? told.length >= 2 : told.text === text;
        });
        assert.deepEqual(await Promise.all(answers), answers.map(() => true));
        await Promise.all(leaving);
        const notes: { text: string }[] = await (await fetch(`${url}/notes`)).json();
        const kept = notes.filter(({ text }) => text.startsWith(`${givenUp}-`));
        assert.equal(new Set(kept.map(({ text }) => text)).size, 40);
        assert.equal(kept.length, 40);
      }
    },

  "a Worker goes on after requests that were given up": async (app) => {
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const signal = AbortSignal.timeout(1 + i);
      const body = JSON.stringify({ from: "Ada", to: "Bob", euros: 1 });
      const sent = fetch(`${app.url}/transfers`, { method: "POST", body, signal });
      await sent.then((response) => response.body?.cancel(), () => {});
    }));
    // What was given up may still run for a moment, and be in the way.
    await until("transfer that is kept", async () => {
      const response = await post(`${app.url}/transfers`, { from: "Bob", to: "Ada", euros: 1 });
      await response.body?.cancel();
      return response.status === 200 || undefined;
    });
    assert.equal(await total(app.database), 200);
  },
};

async function answer(url: string): Promise<unknown> {
  return await (await fetch(url)).json();
}

/** What is expected when a request ends while the shared client still works for it. */
const LEAVING: Checks = {
  "a transaction takes its turn after a request that ended with the turn": async ({ url }) => {
    assert.equal(await answer(`${url}/turn`), 2);
    await (await fetch(`${url}/turn?leave`)).text();
    assert.equal(await answer(`${url}/turn`), 2);
    assert.equal(await answer(`${url}/turn`), 2);
  },

  "requests of a Worker take turns, and one that ended with its turn stops nobody": async (
    { url },
  ) => {
    const before = await answer(`${url}/driver`) as number;
    await (await fetch(`${url}/driver?leave`)).text();
    const answers = await Promise.all(Array.from({ length: 10 }, () => answer(`${url}/driver`)));
    const sorted = (answers as number[]).sort((a, b) => a - b);
    assert.deepEqual(sorted, Array.from({ length: 10 }, (_, i) => before + 1 + i));
  },

  "requests of a Worker share a lock in rqlite": async ({ url }) => {
    const before = await answer(`${url}/lock`) as number;
    const answers = await Promise.all(Array.from({ length: 20 }, () => answer(`${url}/lock`)));
    const sorted = (answers as number[]).sort((a, b) => a - b);
    assert.deepEqual(sorted, Array.from({ length: 20 }, (_, i) => before + 1 + i));
  },

  "the lock of a request that ended is taken over, whoever waits": async ({ url }) => {
    const before = await answer(`${url}/lock`) as number;
    for (let round = 0; round < 2; round++) {
      await (await fetch(`${url}/lock?leave`)).text();
      const answers = await Promise.all([answer(`${url}/lock`), answer(`${url}/lock`)]);
      const sorted = (answers as number[]).sort((a, b) => a - b);
      assert.deepEqual(sorted, [before + 2 * round + 1, before + 2 * round + 2]);
    }
  },

  "requests that end before their look-up of the members is over hinder no other": async (app) => {
    for (let i = 0; i < 3; i++) assert.equal(await answer(`${app.url}/members`), 1);
    const answers = await Promise.all([1, 2, 3].map(() => answer(`${app.url}/members`)));
    assert.deepEqual(answers, [1, 1, 1]);
    assert.equal(await answer(`${app.url}/close`), true);
  },

  "a request asks for credentials where the one that asked has ended": async ({ url }) => {
    await (await fetch(`${url}/auth?leave`)).text();
    const answers = await Promise.all([1, 2, 3].map(() => answer(`${url}/auth`)));
    assert.deepEqual(answers, [1, 1, 1]);
  },
};

/** What is expected of what was made at module scope. */
const AT_MODULE_SCOPE: Checks = {
  "a client, an app, locks and ORMs of a Worker may be made at module scope": async ({ url }) => {
    for (const path of ["hono", "orms", "locks", "hono", "orms", "locks"]) {
      const expected = { hono: 1, orms: 2, locks: 2 }[path];
      assert.equal(await answer(`${url}/${path}`), expected, path);
    }
  },

  "the transaction of a request of a Worker is over when its body streams": async (app) => {
    assert.equal(await answer(`${app.url}/stream`), "InterfaceError");
    await answer(`${app.url}/background`);
    await until(
      "refusal of what waitUntil() goes on with",
      async () => await answer(`${app.url}/background`) === "InterfaceError" || undefined,
    );
    assert.equal(await numberIn(app.database, "SELECT n FROM counter"), 1);
  },

  "closing a client ends what another request of a Worker waits for": async ({ url }) => {
    const waiting = answer(`${url}/wait`);
    await until("request that waits", async () => await answer(`${url}/close`) || undefined);
    assert.equal(await waiting, "InterfaceError");
  },
};

/** What is expected of Workers, by file and name. */
export const WORKER_CHECKS: Readonly<Record<string, Checks>> = {
  "examples/hono/worker.ts": APP,
  "tests/portable/leaving_worker.ts": LEAVING,
  "tests/portable/module_worker.ts": AT_MODULE_SCOPE,
};

async function balances({ url }: WorkerApp): Promise<Record<string, number>> {
  const accounts: { owner: string; euros: number }[] = await (await fetch(`${url}/accounts`))
    .json();
  return Object.fromEntries(accounts.map(({ owner, euros }) => [owner, euros]));
}
