// Every spelling of RETURNING that was recorded gives its rows, also where a server's parser overlooks the clause.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Result } from "../../mod.ts";
import { readTranscript, type Scenario, type Step } from "../support/golden.ts";
import { recorded, type Target, thrownBy, type Topic } from "./target.ts";

type Answer = Partial<Pick<Result<unknown>, "columns" | "types">> & {
  readonly values?: readonly unknown[];
  readonly error?: string;
};

const NAMES = ["spellings", "statements", "expressions", "quoting"].map((name) =>
  `returning/${name}-execute`
);

/** Rows that neither of the recorded servers gave. */
const OVERLOOKED: Readonly<Record<string, readonly unknown[]>> = {
  "UPDATE t SET b = 'd' WHERE b IS DISTINCT FROM 'zz' AND a = 1 RETURNING a": [[1]],
  "INSERT INTO [t]([b]) VALUES('x') RETURNING [a]": [[7]],
};

const scenarios = [readTranscript("v10"), readTranscript("v8.26")].map(({ scenarios }) =>
  new Map(scenarios.map((scenario) => [scenario.name, scenario]))
);

export const returning: Topic = (target) => {
  describe("RETURNING", () => {
    for (const name of NAMES) {
      it(`gives its rows: ${name}`, () => play(target(), name));
    }

    it("gives its rows to statements as ORMs write them", async () => {
      const { db } = target();
      await db.execute("DROP TABLE IF EXISTS person");
      await db.execute(
        'CREATE TABLE "person" ("id" integer primary key autoincrement, "first_name" text, ' +
          '"created_at" text default (CURRENT_TIMESTAMP) not null, "flag" integer default 1)',
      );
      const one = await db.execute('insert into "person" ("first_name") values (?) returning *', [
        "Jennifer",
      ]);
      assert.deepEqual(one.columns, ["id", "first_name", "created_at", "flag"]);
      assert.equal(one.rows[0]!.first_name, "Jennifer");
      const two = await db.execute(
        'insert into "person" ("id", "first_name", "created_at", "flag") ' +
          'values (null, ?, CURRENT_TIMESTAMP, ?) returning "id", "first_name"',
        ["Arnold", 0],
      );
      assert.deepEqual(two.rows, [{ id: 2, first_name: "Arnold" }]);
    });

    it("gives its rows in batches, between reads and other writes", async () => {
      const { db } = target();
      await db.batch(["DROP TABLE IF EXISTS t", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)"]);
      const odd = "INSERT INTO [t]([b]) VALUES('x') RETURNING\n[a]";
      for (const atomic of [true, false]) {
        await db.execute("DELETE FROM t");
        const writes = await db.batch([odd, "UPDATE t SET c = 1", odd], { atomic });
        assert.deepEqual(writes.map(({ rows }) => rows), [[{ a: 1 }], [], [{ a: 2 }]]);
        const mixed = await db.batch([odd, "SELECT count(*) AS n FROM t", odd], { atomic });
        assert.deepEqual(mixed.map(({ rows }) => rows), [[{ a: 3 }], [{ n: 3 }], [{ a: 4 }]]);
      }
    });

    it("is left as it is with returningRewrite: false", async () => {
      const { db, sent } = recorded(target(), { returningRewrite: false });
      await db.batch(["DROP TABLE IF EXISTS t", "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)"]);
      await db.execute("INSERT INTO main.t(b) VALUES('x') RETURNING a").catch(() => {});
      assert.ok(sent.every(({ body }) => !body.includes(";")));
    });
  });
};

/** Plays a scenario through a client; its statements run in the same order as when it was recorded. */
async function play(target: Target, name: string): Promise<void> {
  const [newer, older] = scenarios.map((all) => all.get(name)!) as [Scenario, Scenario];
  await target.db.execute("DROP TABLE IF EXISTS t");
  for (const [i, step] of newer.steps.entries()) {
    const answers = [step, older.steps[i]!].map(answerOf);
    if (step.method === "GET") {
      if (step.mask === undefined) await checkQuery(target, step, answers[0]!);
    } else if (i === 0) await target.db.batch(step.body as string[]);
    else await checkStatement(target, (step.body as string[])[0]!, answers);
  }
}

function answerOf({ response }: Step): Answer {
  const { results } = JSON.parse(response.body as string) as { results: Answer[] };
  return results[0]!;
}

async function checkQuery({ db }: Target, { path }: Step, { values = [] }: Answer): Promise<void> {
  const sql = decodeURIComponent(path.split("?q=")[1]!);
  const { rows } = await db.query<unknown>(sql, [], { rows: "array" });
  assert.deepEqual(rows, values, sql);
}

async function checkStatement(
  target: Target,
  sql: string,
  answers: readonly Answer[],
): Promise<void> {
  const call = target.db.execute<unknown>(sql, [], { rows: "array" });
  if (/; (?:INSERT|DELETE)/.test(sql)) {
    assert.match((await thrownBy(call)).message, /Cannot send 2 statements/);
    // The steps behind it count on its rows.
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify([sql]);
    await (await target.fetch(`${target.url}/db/execute`, { method: "POST", headers, body }))
      .text();
    return;
  }
  const expected = answers.find((answer) => answer.error ?? answer.columns) ?? answers[0]!;
  if (expected.error !== undefined) {
    assert.ok((await thrownBy(call)).message.startsWith(expected.error));
    return;
  }
  const { columns, types, rows } = await call;
  if (expected.columns === undefined) {
    if (/\breturning\b/i.test(sql.replace(/'[^']*'/g, ""))) {
      assert.deepEqual(rows, OVERLOOKED[sql], sql);
    }
    return;
  }
  const { values = [] } = expected;
  assert.deepEqual({ columns, types, rows }, {
    columns: expected.columns,
    types: expected.types,
    rows: values,
  }, sql);
}
