// The calls of a storm: of every kind, each of which may be given up at any time, for any reason.
import type { CallOptions, Client } from "../../mod.ts";
import type { Random } from "../support/random.ts";

/** One call. */
export interface StormCall {
  readonly kind: string;
  /** The rows that it writes, all or none of them. */
  readonly keys: readonly string[];
  readonly run: (db: Client, options: CallOptions) => Promise<unknown>;
}

const WRITE = "INSERT INTO t VALUES(?)";

/** How many counters there are; as many transactions can commit at once. */
export const COUNTERS = 8;

type Kind = (key: string, random: Random) => Omit<StormCall, "kind">;

const reads = (run: StormCall["run"]): Kind => () => ({ keys: [], run });

const KINDS: Readonly<Record<string, Kind>> = {
  query: reads((db, options) => db.query("SELECT k FROM t LIMIT 5", [], options)),
  "query that fails": reads((db, options) => db.query("SELECT nonsense", [], options)),
  "strong query": reads((db, options) => db.query("SELECT 1", [], { ...options, level: "strong" })),
  first: reads((db, options) => db.first("SELECT k FROM t", [], options)),
  value: reads((db, options) => db.value("SELECT count(*) FROM t", [], options)),
  iterate: reads(async (db, options) => {
    let rows = 0;
    for await (const _ of db.iterate("SELECT k FROM t", [], { ...options, pageSize: 3 })) {
      if (++rows === 7) break;
    }
  }),
  nodes: reads((db, options) => db.nodes(options)),
  ready: reads((db, options) => db.ready(options)),
  execute: (key) => ({ keys: [key], run: (db, options) => db.execute(WRITE, [key], options) }),
  "plain execute": (key) => ({
    keys: [key],
    run: (db, options) => db.execute(WRITE, [key], { ...options, exactlyOnce: false }),
  }),
  "execute with an id": (key) => ({
    keys: [key],
    run: (db, options) => db.execute(WRITE, [key], { ...options, id: key }),
  }),
  batch: (key) => ({
    keys: [`b1 ${key}`, `b2 ${key}`],
    run: (db, options) => db.batch([[WRITE, `b1 ${key}`], [WRITE, `b2 ${key}`]], options),
  }),
  "batch that fails": (key) => ({
    keys: [key],
    run: async (db, options) => {
      await db.batch([[WRITE, key], "INSERT INTO t VALUES(NULL)"], options);
    },
  }),
  transaction: (key, random) => {
    const counter = random.below(COUNTERS);
    return {
      keys: [`tx ${key}`],
      run: (db, options) =>
        db.transaction(async (tx) => {
          await tx.query("SELECT n FROM c WHERE id = ?", [counter]);
          await tx.execute("UPDATE c SET n = n + 1 WHERE id = ?", [counter]);
          await tx.execute(WRITE, [`tx ${key}`]);
        }, { ...options, retries: 3 }),
    };
  },
};

/** One call of any kind. */
export function anyCall(key: string, random: Random): StormCall {
  const kind = random.of(Object.keys(KINDS));
  return { kind, ...KINDS[kind]!(key, random) };
}

/** How a call is given up. */
export interface Ending {
  readonly options: CallOptions;
  /** It was, before it began. */
  readonly before: boolean;
  /** Leaves nothing behind. */
  readonly done: () => void;
}

const REASONS: readonly unknown[] = [new Error("enough"), new TypeError("mine"), "text", undefined];

/** Any way to give up a call, or none. @param shared A signal of many calls, which never fires. */
export function anyEnding(shared: AbortSignal, random: Random): Ending {
  const none = { before: false, done: () => {} };
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const reason = REASONS[random.below(REASONS.length)];
  const abort = (): void => controller.abort(reason);
  switch (random.below(10)) {
    case 0:
      abort();
      return { ...none, options, before: true };
    case 1:
    case 2: {
      const timer = setTimeout(abort, random.below(40));
      return { ...none, options, done: () => clearTimeout(timer) };
    }
    case 3:
      return { ...none, options: { signal: AbortSignal.timeout(random.below(60)) } };
    case 4:
      return { ...none, options: { timeout: 1 + random.below(100) } };
    case 5:
      return { ...none, options: {} };
    default:
      return { ...none, options: { signal: shared } };
  }
}
