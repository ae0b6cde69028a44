/** Numbers that a seed gives again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed || 1;
  }

  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor(this.#state / 2 ** 32 * limit);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

interface Origin {
  /** What stands in FROM. */
  readonly sql: string;
  readonly alias: string;
  /** Columns of integers, of text, and other ones. */
  readonly integers: readonly string[];
  readonly texts: readonly string[];
  readonly others: readonly string[];
}

const ORIGINS: readonly Omit<Origin, "alias">[] = [
  { sql: "users", integers: ["id", "age"], texts: ["email"], others: ["made", "price"] },
  { sql: "users", integers: ["id", "age"], texts: ["email"], others: ["made", "price"] },
  { sql: "orders", integers: ["id", "user_id", "total"], texts: ["note"], others: [] },
  { sql: "orders", integers: ["id", "user_id", "total"], texts: ["note"], others: [] },
  { sql: "logs", integers: ["level"], texts: ["line"], others: ["made"] },
  { sql: "pairs", integers: ["b", "v"], texts: ["a"], others: ["made"] },
  { sql: "adults", integers: ["id", "age"], texts: ["email"], others: ["made"] },
  { sql: "late", integers: ["id", "age"], texts: [], others: ["made"] },
  { sql: "clock", integers: ["id", "total"], texts: ["at"], others: [] },
  {
    sql: "(SELECT * FROM users WHERE age > 2)",
    integers: ["id", "age"],
    texts: ["email"],
    others: ["made"],
  },
  { sql: "(SELECT made, id FROM adults)", integers: ["id"], texts: [], others: ["made"] },
  { sql: "w", integers: ["id", "age"], texts: [], others: ["made"] },
  {
    sql: "(SELECT user_id AS id, count(*) AS n FROM orders GROUP BY 1)",
    integers: ["id", "n"],
    texts: [],
    others: [],
  },
];

const WITHS = [
  "WITH w AS (SELECT id, age, made FROM users) ",
  "WITH w(id, age, made) AS (SELECT id, age, made FROM adults WHERE id > 1) ",
  "WITH RECURSIVE w(id, age, made) AS (SELECT 1, 2, 'x' UNION ALL SELECT id + 1, age, made FROM w WHERE id < 9) ",
];

/** A read, and one that also answers what its rows are sorted by. */
export interface RandomRead {
  readonly sql: string;
  readonly paired: string;
}

/** A read that compiles, of the tables of the test. */
export function randomRead(random: Random): RandomRead {
  const origins = [origin(random, "x")];
  if (random.below(3) === 0) origins.push(origin(random, "y"));
  const uses = origins.some(({ sql }) => sql === "w");
  const front = uses ? random.of(WITHS) : "";
  const where = random.below(3) === 0 ? "" : ` WHERE ${condition(random, origins)}`;
  const tail = ` FROM ${from(random, origins)}${where}`;
  const form = random.below(12);
  if (form < 2) return grouped(random, front, origins, tail);
  if (form === 2) {
    const item = integer(random, origins);
    const sql = `${front}SELECT ${item}${tail} ${
      random.of(["UNION", "EXCEPT", "UNION ALL"])
    } SELECT id FROM orders`;
    return { sql, paired: sql };
  }
  return plain(random, front, origins, tail);
}

function origin(random: Random, alias: string): Origin {
  return { ...random.of(ORIGINS), alias };
}

function from(random: Random, origins: readonly Origin[]): string {
  const [first, second] = origins.map(({ sql, alias }) => `${sql} AS ${alias}`);
  if (second === undefined) return first!;
  const on = `x.${random.of(origins[0]!.integers)} = y.${random.of(origins[1]!.integers)}`;
  return random.of([
    `${first} JOIN ${second} ON ${on}`,
    `${first} LEFT JOIN ${second} ON ${on}`,
    `${first}, ${second}`,
  ]);
}

function column(
  random: Random,
  origins: readonly Origin[],
  kind: "integers" | "texts" | "others",
): string {
  const able = origins.filter((one) => one[kind].length > 0);
  if (able.length === 0) return integer(random, origins);
  const one = random.of(able);
  return `${one.alias}.${random.of(one[kind])}`;
}

function integer(random: Random, origins: readonly Origin[]): string {
  return column(random, origins, "integers");
}

function condition(random: Random, origins: readonly Origin[]): string {
  const left = integer(random, origins);
  return random.of([
    () => `${left} > ${random.below(6)}`,
    () => `${left} = ${random.below(6)}`,
    () => `${left} IN (SELECT id FROM ${random.of(["users", "orders", "adults", "late"])})`,
    () => `EXISTS (SELECT * FROM users AS z WHERE z.id = ${left})`,
    () => `${left} BETWEEN 1 AND 5 AND NOT ${integer(random, origins)} = 2`,
    () => `(SELECT max(age) FROM users AS z WHERE z.id <= ${left}) > 4`,
    () => `${column(random, origins, "others")} > 'm4'`,
    () => `length(${column(random, origins, "texts")}) > 1`,
    () => `${left} IS NOT NULL OR ${integer(random, origins)} < 3`,
  ])();
}

function item(random: Random, origins: readonly Origin[]): string {
  return random.of([
    () => integer(random, origins),
    () => integer(random, origins),
    () => column(random, origins, "texts"),
    () => column(random, origins, "others"),
    () => `${integer(random, origins)} + 1 AS plus`,
    () => `lower(${column(random, origins, "texts")}) AS low`,
    () => `${random.of(origins).alias}.*`,
    () => `(SELECT count(*) FROM orders AS z WHERE z.user_id = ${integer(random, origins)}) AS n`,
    () => `row_number() OVER (ORDER BY ${integer(random, origins)}) AS r`,
  ])();
}

function plain(
  random: Random,
  front: string,
  origins: readonly Origin[],
  tail: string,
): RandomRead {
  const items = Array.from({ length: 1 + random.below(3) }, () => item(random, origins));
  const terms = random.below(2) === 0
    ? []
    : Array.from({ length: 1 + random.below(2) }, () =>
      random.of([
        () => integer(random, origins),
        () => column(random, origins, "others"),
        () => `${integer(random, origins)} % 3`,
        () => column(random, origins, "texts"),
      ])());
  const distinct = random.below(8) === 0 ? "DISTINCT " : "";
  const limit = random.below(3) === 0 ? ` LIMIT ${1 + random.below(4)}` : "";
  const order = terms.length === 0
    ? ""
    : ` ORDER BY ${terms.map((term) => `${term}${random.of(["", " DESC", " ASC NULLS LAST"])}`)}`;
  const sql = `${front}SELECT ${distinct}${items}${tail}${order}${limit}`;
  if (terms.length === 0 || distinct !== "") return { sql, paired: sql };
  return { sql, paired: `${front}SELECT ${items},${terms}${tail}${order}${limit}` };
}

function grouped(
  random: Random,
  front: string,
  origins: readonly Origin[],
  tail: string,
): RandomRead {
  const key = random.of([integer(random, origins), column(random, origins, "others"), ""]);
  const aggregate = random.of([
    "count(*)",
    `sum(${integer(random, origins)})`,
    `max(${column(random, origins, "others")})`,
  ]);
  if (key === "") {
    const sql = `${front}SELECT ${aggregate}${tail}`;
    return { sql, paired: sql };
  }
  const order = random.of(["", ` ORDER BY ${aggregate} DESC`, ` ORDER BY ${key} LIMIT 2`]);
  const items = `${random.of([key, "count(*)"])}, ${aggregate}`;
  const rest = `${tail} GROUP BY ${key}${order}`;
  const sql = `${front}SELECT ${items}${rest}`;
  if (order === "") return { sql, paired: sql };
  return { sql, paired: `${front}SELECT ${items}, ${key}, ${aggregate}${rest}` };
}
