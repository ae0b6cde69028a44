import { connect } from "../../src/dbapi/mod.ts";
import type { Case } from "../measure.ts";
import { BEST_BY_HAND, EXECUTE_MANY, INSERT_MANY } from "../names.ts";
import type { Scenario } from "../scenario.ts";
import { client, type Listed, writeTogether } from "../ways.ts";

/** Rows of one request, and of one statement. */
const REQUEST = 10_000;
const STATEMENT = 100;

type Row = [id: number, name: string, score: number];

/** 100 rows a statement, 10,000 a request, and nothing in the way. */
async function byHand(url: string, rows: readonly Row[]): Promise<void> {
  const text = `INSERT INTO hand VALUES ${Array(STATEMENT).fill("(?,?,?)").join(",")}`;
  for (let at = 0; at < rows.length; at += REQUEST) {
    const statements: Listed[] = [];
    for (let i = at; i < Math.min(at + REQUEST, rows.length); i += STATEMENT) {
      statements.push([text, ...rows.slice(i, i + STATEMENT).flat()]);
    }
    await writeTogether(url, statements);
  }
}

const bulk: Scenario = async (bench) => {
  const server = await bench.server();
  const columns = "(id INTEGER, name TEXT, score REAL)";
  for (const table of ["hand", "inserted", "many"]) {
    await server.sql(`CREATE TABLE ${table}${columns}`);
  }
  const count = bench.quick ? 5_000 : 100_000;
  const rows = Array.from({ length: count }, (_, i): Row => [i, `name ${i}`, i / 3]);
  await bench.contest({
    title: `${count.toLocaleString("en")} rows`,
    operations: count,
    rounds: bench.quick ? 2 : 3,
    server,
    cases(url) {
      const connection = connect(url, { autocommit: true });
      const db = client(url);
      /** Leaves the table empty in front of each round, outside of what is measured. */
      const into = (table: string, insert: () => Promise<unknown>): Case["run"] => async () => {
        await server.sql(`DELETE FROM ${table}`);
        const start = performance.now();
        await insert();
        return { time: performance.now() - start };
      };
      const many = () => connection.cursor().executeMany("INSERT INTO many VALUES(?, ?, ?)", rows);
      return [
        { name: BEST_BY_HAND, run: into("hand", () => byHand(url, rows)) },
        {
          name: INSERT_MANY,
          run: into("inserted", () => db.insertMany("inserted", rows)),
          against: { [BEST_BY_HAND]: { speed: 0.9 } },
          close: () => db.close(),
        },
        {
          name: EXECUTE_MANY,
          run: into("many", many),
          against: { [BEST_BY_HAND]: { speed: 0.8 } },
          close: () => connection.close(),
        },
      ];
    },
  });
};

export default bulk;
