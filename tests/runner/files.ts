/** Which test file runs on which engines, and why. */

/** An engine that takes test files. */
export type EngineName = "deno" | "bun" | "node24" | "node22";

/** Where some test files run. */
export interface Placement {
  /** Files below `tests/`, or folders, which end in `/`. */
  readonly files: readonly string[];
  readonly engines: readonly EngineName[];
  /** What the engine has to do with them. */
  readonly why: string;
}

/** All engines, for a file that {@linkcode PLACEMENTS} does not know. */
export const EVERYWHERE: readonly EngineName[] = ["deno", "bun", "node24", "node22"];

/**
 * Every file and folder that need not run everywhere. A file's own line goes before that of its folder. What is about the
 * database is spread so that the engines end at about the same time.
 */
export const PLACEMENTS: readonly Placement[] = [
  {
    files: [
      "bench_test.ts",
      "client/mistakes_test.ts",
      "client/troubleshooting_test.ts",
      "layout_test.ts",
      "options_test.ts",
      "portable/",
      "reads/",
      "runner/",
      "schema/",
      "sql/",
      "time/",
      "transport/",
    ],
    engines: ["deno"],
    why: "Pure: text and values in, text and values out, and the same SQLite behind it",
  },
  {
    files: ["support/"],
    engines: ["deno", "bun", "node24"],
    why: "What the other tests of these engines stand on: servers, proxies, fetch",
  },
  {
    files: ["support/links_test.ts"],
    engines: ["deno"],
    why: "About servers, and what stands between them",
  },
  {
    files: ["client/infinity_test.ts", "client/values_test.ts", "wire/"],
    engines: ["deno", "bun"],
    why:
      "Numbers become text and text numbers by the engine, one of V8 and one of JavaScriptCore; all else is pure or SQLite",
  },
  {
    files: ["wire/json_test.ts", "wire/decode_test.ts"],
    engines: ["deno", "bun", "node24", "node22"],
    why: "JSON.parse() tells the source of a number on some engines only",
  },
  {
    files: [
      ...["client/", "examples/", "hono/", "integration/", "lead/", "locks/"],
      "prisma/adapter_test.ts",
      ...["transaction/leaks_test.ts", "transaction/lock_option_test.ts"],
      ...["transaction/timeout_per_test.ts", "transaction/transaction_test.ts"],
      ...["transaction/with_retry_test.ts", "time/holder_timer_test.ts"],
    ],
    engines: ["deno", "bun", "node24"],
    why: "Timers, aborts, streams, processes and disposal are the engine's",
  },
  {
    files: [
      ...["conformance/", "embedded/", "node/", "client/golden_test.ts", "dbapi/dbapi20_test.ts"],
      ...["dbapi/types_test.ts", "hono/middleware_test.ts"],
    ],
    engines: ["deno", "bun", "node24", "node22"],
    why: "Fetch, node:sqlite and node:http of every version; for Node 22 this is nearly all",
  },
  {
    files: ["integration/shadowing_names_test.ts"],
    engines: ["deno", "bun", "node24", "node22"],
    why:
      "Whether a name can be shadowed is SQLite's own, which every engine brings in another version",
  },
  {
    files: [
      ...["locks/failover_test.ts", "locks/faults_test.ts", "locks/holder_test.ts"],
      "locks/room_redis_test.ts",
    ],
    engines: ["deno"],
    why: "On Deno they start processes of every engine by themselves, or are about servers",
  },
  {
    files: ["examples/cron_test.ts"],
    engines: ["deno"],
    why: "Starts processes of every engine by itself",
  },
  {
    files: ["locks/lasting_test.ts", "locks/order_test.ts", "locks/turns_test.ts"],
    engines: ["deno"],
    why: "Orders, queues and paces, the same on every engine",
  },
  {
    files: ["locks/eviction_test.ts", "locks/redis_processes_test.ts"],
    engines: ["node24"],
    why: "Start processes of every engine by themselves, or are about servers",
  },
  {
    files: ["embedded/moving_test.ts"],
    engines: ["bun"],
    why: "Compares the engine with a server, which is the same for every runtime",
  },
  {
    files: [
      ...["drizzle/versions_test.ts", "kysely/versions_test.ts", "locks/python_test.ts"],
      "locks/room_rqlite_test.ts",
    ],
    engines: ["bun"],
    why: "About versions of a package, another language, processes of every engine",
  },
  {
    files: [
      "recipes/drizzle_kit_test.ts",
      "recipes/drizzle_kit_v1_test.ts",
      "recipes/kysely_codegen_test.ts",
      "recipes/kysely_ctl_test.ts",
    ],
    engines: ["node24"],
    why: "Tools in projects of their own, which most people run on Node",
  },
  {
    files: ["migrate/processes_test.ts"],
    engines: ["node24"],
    why: "Starts processes of every engine by itself",
  },
  {
    files: ["migrate/bad_input_test.ts"],
    engines: ["deno", "bun", "node24"],
    why: "Folders, paths and permissions are the engine's",
  },
  {
    files: ["commit/chosen_ids_model_test.ts", "transaction/states_test.ts"],
    engines: ["deno"],
    why: "States and the order of calls, over SQLite alone",
  },
  {
    files: ["commit/", "inspect/", "migrate/", "transaction/"],
    engines: ["bun"],
    why: "The database's behaviour",
  },
  {
    files: ["cdc/config_test.ts", "cdc/server_test.ts"],
    engines: ["deno"],
    why: "Text, and what a server makes of it, which is skipped before rqlite 9",
  },
  {
    files: ["cdc/feed_test.ts"],
    engines: ["deno", "bun"],
    why: "Requests, their bodies and digests, with an engine of each family",
  },
  {
    files: ["cdc/live_test.ts"],
    engines: ["deno", "bun", "node24"],
    why: "How a stream ends when its reader goes away is the engine's and its server's",
  },
  {
    files: ["integration/orm_versions_test.ts"],
    engines: ["node24"],
    why: "Starts processes of every engine by itself",
  },
  {
    files: ["observe/"],
    engines: ["deno"],
    why: "Text that is made of calls, the same on every engine",
  },
  {
    files: ["observe/open_telemetry_test.ts"],
    engines: ["deno", "node24"],
    why: "Its SDK is made for Node, and keeps contexts by the engine's AsyncLocalStorage",
  },
  {
    files: ["client/every_option_test.ts"],
    engines: ["bun"],
    why: "A table of what the client makes of options, the same on every engine",
  },
  {
    files: ["drizzle/", "drizzle_v1/", "kysely/"],
    engines: ["deno"],
    why:
      "What ORMs make of queries and of rows, the same on every engine; versions_test.ts runs Kysely's and Drizzle's on Bun, " +
      "transactions of Drizzle 1.0 and the step of installs and recipes/ use the packages on Node",
  },
  {
    files: ["drizzle_v1/relations_test.ts"],
    engines: ["bun"],
    why: "Whether Bun finds the package and its version of Drizzle",
  },
  {
    files: ["drizzle_v1/transactions_test.ts", "prisma/"],
    engines: ["node24"],
    why: "What ORMs make of queries and of rows, where most people run them",
  },
  {
    files: ["prisma/migrate_test.ts"],
    engines: ["deno"],
    why: "The engine behind it leaves a timer of a minute, which only Deno does not wait for",
  },
  {
    files: ["dbapi/"],
    engines: ["deno"],
    why: "PEP 249 over a client that the tests of every engine know",
  },
  {
    files: ["client/cut_writes_test.ts", "client/faults_test.ts", "integration/time_test.ts"],
    engines: ["deno", "node24"],
    why: "Faults of connections through proxies; how Bun tells them is in node/unreachable_test.ts",
  },
  {
    files: [
      ...["hono/transfers_test.ts", "locks/rqlite_test.ts"],
      ...["transaction/ends_test.ts", "client/late_test.ts", "client/session_test.ts"],
      "client/sharing_test.ts",
    ],
    engines: ["deno", "bun"],
    why: "Clusters, load and late imports, with an engine of each family",
  },
  {
    files: ["conformance/locks_test.ts", "conformance/other_fetch_test.ts"],
    engines: ["deno", "bun", "node24"],
    why:
      "What answers is the server, and the client on Node 22 is asked in the same words by embedded_test.ts",
  },
  {
    files: ["conformance/embedded_file_test.ts"],
    engines: ["bun"],
    why:
      "All topics once more, with the file in place of memory that embedded_test.ts has everywhere; what each engine's SQLite " +
      "does with files is in embedded/",
  },
  {
    files: ["conformance/rqlited_test.ts"],
    engines: ["deno", "bun"],
    why:
      "All topics, on an engine of each family: the client on Node is asked in the same words by embedded_test.ts and " +
      "node_fetch_test.ts, and what its fetch has a part in by other_fetch_test.ts",
  },
  {
    files: ["integration/failover_test.ts"],
    engines: ["deno"],
    why: "A leader that dies; clusters/soak_test.ts kills it under clients on Deno and Bun",
  },
  {
    files: ["conformance/node_fetch_test.ts"],
    engines: ["node24"],
    why:
      "All topics over nodeFetch(), which is for Node; what the engine has a part in is asked elsewhere by other_fetch_test.ts",
  },
  {
    files: [
      ...["examples/backup_test.ts", "examples/cli_test.ts", "examples/dbapi_test.ts"],
      ...["examples/failover_test.ts", "examples/live_test.ts", "examples/locks_test.ts"],
      ...["examples/session_test.ts", "integration/facts_batches_test.ts"],
      ...["integration/facts_cluster_test.ts", "integration/facts_rewriting_test.ts"],
      ...["integration/facts_statements_test.ts", "integration/nearest_test.ts"],
      "support/rqlited_test.ts",
    ],
    engines: ["deno"],
    why:
      "About the server, or over a client that the tests of every engine know; Redis clients on Node are in " +
      "locks/redis_clients_test.ts",
  },
  {
    files: ["client/exactly_once_test.ts"],
    engines: ["deno"],
    why:
      "What copies of requests do to the database; connections that are cut, with an engine each, are in cut_writes_test.ts",
  },
  {
    files: ["cli/process_test.ts"],
    engines: ["deno", "bun", "node22"],
    why:
      "Processes, pipes, terminals and signals; Node 24 learns that a module is the program as Deno and Bun do, Node 22 otherwise",
  },
  {
    files: ["cli/"],
    engines: ["deno"],
    why:
      "What commands make of files, rows and errors, over a client and in this process; what the engine has a part in is in " +
      "process_test.ts",
  },
  {
    files: [
      ...[
        "client/administration_test.ts",
        "client/bad_answers_test.ts",
        "client/hostile_sql_test.ts",
        "client/session_cluster_test.ts",
      ],
      ...["clusters/", "database/", "replicas/", "transaction/first_use_test.ts"],
      "integration/balancer_test.ts",
    ],
    engines: ["deno"],
    why: "The database's behaviour, and the cluster's",
  },
];

function placementOf(file: string): Placement | undefined {
  const name = file.replace(/^tests\//, "");
  const folder = name.replace(/[^/]*$/, "");
  return PLACEMENTS.find(({ files }) => files.includes(name)) ??
    PLACEMENTS.find(({ files }) => folder !== "" && files.includes(folder));
}

/**
 * Tells where a test file runs: as its own line says, or that of its folder, or else everywhere.
 *
 * @param file Relative to the root.
 */
export function enginesOf(file: string): readonly EngineName[] {
  return placementOf(file)?.engines ?? EVERYWHERE;
}

/** The files that an engine runs when none is named, in their order. */
export function filesOn(engine: EngineName, files: readonly string[]): string[] {
  return files.filter((file) => enginesOf(file).includes(engine));
}
