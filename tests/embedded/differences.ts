import process from "node:process";

const [major = 3, minor = 53] = (process.versions.sqlite ?? "3.53").split(".").map(Number);

/** This runtime's SQLite prints REAL values in another way than that of rqlite 10; Node 22 has such a one. */
export const OLD_SQLITE = major === 3 && minor < 53;

/** Steps of a recorded scenario that the embedded engine knowingly answers in another way. */
export interface Difference {
  /** The scenario. */
  readonly name: string;
  /** The steps, from 1; without them the scenario is not played at all. */
  readonly steps?: readonly number[];
  readonly reason: string;
  /** Only there; everywhere when absent. */
  readonly runtime?: "deno" | "bun" | "node";
  /** Only where `OLD_SQLITE`. */
  readonly oldSqlite?: true;
  /** Only with a database in memory. */
  readonly memory?: true;
}

const ONE_NODE = "there is no cluster and there are no users";
const NO_PAGES = "pages for people and counters of the server";
const FLAG = "a flag of the server that the engine does not have";
const REWRITER = "the engine never rewrites SQL, as if norwrandom and norwtime were always given";
const LOCKED =
  "in memory, a transaction that somebody left open locks the other connection out: no WAL there";

/** All of them. A listed step that does not differ fails the test as well. */
export const DIFFERENCES: readonly Difference[] = [
  ...["forwarding", "backup-sql", "backup-binary", "redirect", "answer-that-cannot-be-relayed"]
    .map((name) => ({ name: `follower/${name}`, reason: ONE_NODE })),
  ...[
    "none",
    "unknown-user",
    "wrong-password",
    "all",
    "application",
    "reader",
    "writer",
    "no-permission",
    "bearer",
    "broken",
  ].map((name) => ({ name: `auth/${name}`, reason: ONE_NODE })),
  {
    name: "query-string/db-timeout",
    reason: "node:sqlite can not interrupt a statement; db_timeout is checked and ignored",
  },
  { name: "endpoints/wrong-method", steps: [15, 19], reason: NO_PAGES },
  { name: "endpoints/head", steps: [5], reason: NO_PAGES },
  { name: "endpoints/debug-vars", steps: [1, 2, 3, 4], reason: NO_PAGES },
  { name: "endpoints/licenses-and-console", steps: [1, 2, 3], reason: NO_PAGES },
  { name: "endpoints/status", steps: [1, 2, 12], reason: "only what clients ask for is there" },
  { name: "endpoints/cors-origin", steps: [1, 2, 3], reason: FLAG },
  { name: "endpoints/leader", steps: [7], reason: "the details of Go's JSON error" },
  { name: "endpoints/sql-rewriter", steps: [1, 3, 4, 5, 6, 7, 8, 9, 10], reason: REWRITER },
  { name: "rewriting/random", steps: [4, 5, 8, 12, 14], reason: REWRITER },
  { name: "rewriting/time", steps: [15, 16], reason: REWRITER },
  { name: "rewriting/parser-limits", steps: [10], reason: REWRITER },
  {
    name: "bodies/chunked",
    steps: [2],
    reason: "rqlite overlooks a chunked body of /leader; a body given to fetch is never overlooked",
  },
  {
    name: "parameters/numbers",
    steps: [10, 12, 14, 19, 20, 21, 22, 23, 26, 27],
    oldSqlite: true,
    reason: "quote() of a REAL has fewer digits since 3.53",
  },
  { name: "queue/wait-timeout", steps: [2], reason: "nothing waits in a queue" },
  { name: "queue/tx-server-flag", steps: [3, 5], reason: FLAG },
  {
    name: "load/truncated-database",
    steps: [2, 3, 4],
    reason: "a damaged file is refused, and the database stays as it was",
  },
  {
    name: "sql/pragmas-on-query",
    steps: [23],
    reason: "SQLite's compile options are the runtime's",
  },
  {
    name: "sql/pragmas-on-query",
    steps: [18],
    reason: "the engine waits for other processes by itself: SQLite would keep the thread",
  },
  {
    name: "sql/functions",
    steps: [1],
    runtime: "bun",
    reason: "this SQLite has the mathematical functions",
  },
  {
    name: "sql/functions",
    steps: [1],
    runtime: "node",
    reason: "this SQLite has the mathematical functions",
  },
  { name: "sql/functions", steps: [12], runtime: "deno", reason: "this SQLite has soundex()" },
  {
    name: "results/last-insert-id-and-rows-affected",
    steps: [30],
    runtime: "deno",
    reason: "ANALYZE makes one more table (sqlite_stat4), so VACUUM copies one row more",
  },
  { name: "control/begin-on-execute", steps: [4, 5], memory: true, reason: LOCKED },
  { name: "control/savepoint-left-open", steps: [2], memory: true, reason: LOCKED },
  { name: "control/begin-on-query", steps: [3, 8], memory: true, reason: LOCKED },
  {
    name: "sql/pragmas-on-query",
    steps: [9, 20],
    memory: true,
    reason: "no WAL and no file in memory",
  },
];
