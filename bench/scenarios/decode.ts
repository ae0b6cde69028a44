import type { QueryOptions } from "../../mod.ts";
import { PARSE, QUERY } from "../names.ts";
import { replay } from "../replay.ts";
import type { Scenario } from "../scenario.ts";
import { client } from "../ways.ts";

/** Beyond what a double holds. */
const SNOWFLAKE = "1795354305950081028 + i * 4096";
const REST = "'name ' || i, 'u' || i || '@example.com', i * 0.37";

const TABLES = {
  plain: ["INTEGER", `i, ${REST}, i % 2, 'note ' || (i % 100)`, "note TEXT"],
  ids: ["INTEGER", `${SNOWFLAKE}, ${REST}, i % 2, 'note ' || (i % 100)`, "note TEXT"],
  blobs: ["INTEGER", `i, ${REST}, i % 2, CAST(printf('%016d', i) AS BLOB)`, "hash BLOB"],
} as const;

const CASES: readonly [
  name: string,
  table: keyof typeof TABLES,
  options: QueryOptions,
  goal: number | undefined,
][] = [
  ["as objects", "plain", {}, 1.1],
  ["as arrays", "plain", { rows: "array" }, 1.1],
  ["as objects with a BLOB", "blobs", {}, 1.5],
  ["as objects with 64-bit ids", "ids", { integers: "auto" }, undefined],
];

const decode: Scenario = async (bench) => {
  const server = await bench.server();
  const rows = bench.quick ? 10_000 : 100_000;
  const numbers = "WITH RECURSIVE n(i) AS " +
    `(SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows - 1})`;
  for (const [name, [type, values, last]] of Object.entries(TABLES)) {
    const columns = `id ${type}, name TEXT, email TEXT, score REAL, active INTEGER, ${last}`;
    await server.sql(
      `CREATE TABLE ${name}(${columns})`,
      `${numbers} INSERT INTO ${name} SELECT ${values} FROM n`,
    );
  }
  for (const [title, table, options, times] of CASES) {
    const { fetch, bytes } = replay();
    const db = client(server.url, { fetch });
    const query = () => db.query(`SELECT * FROM ${table}`, [], options);
    await query();
    const answer = bytes();
    await bench.contest({
      title: `${rows.toLocaleString("en")} rows, ${title}`,
      operations: 1,
      rounds: bench.quick ? 3 : 11,
      cases: () => [
        {
          name: PARSE,
          // The client, too, is given bytes.
          run: async () => void JSON.parse(await new Response(answer).text()),
        },
        {
          name: QUERY,
          run: async () => void await query(),
          against: { [PARSE]: times === undefined ? {} : { speed: 1 / times } },
          close: () => db.close(),
        },
      ],
    });
  }
};

export default decode;
