import type { Host } from "../calls/host.ts";
import { CALL, isLevel, isRows } from "../calls/checks.ts";
import type { Level } from "../calls/executor.ts";
import type { Settings } from "../calls/settings.ts";
import { ACQUIRE_TIMEOUT, checkLock } from "../locks/acquire_options.ts";
import type { Lock } from "../locks/lock.ts";
import { type Checks, isBoolean, isCount, isName, oneOf, refusing } from "../options.ts";
import type { TransactionOptions } from "./transaction.ts";

/** {@linkcode TransactionOptions} with every default filled in. */
export interface ResolvedTransactionOptions {
  /** For reads while the transaction runs. */
  readonly settings: Settings;
  /** For the check of a transaction that only read. */
  readonly checkLevel: Level;
  /** Taken before the first run. */
  readonly lock: Lock | undefined;
  /** How long to wait for the lock at most, in milliseconds. */
  readonly lockTimeout: number;
  /** The name of its version row: its own, or that of the lock. */
  readonly scope: string | undefined;
  /** Whether what was read is checked at commit. */
  readonly isolation: "serializable" | "none";
  /** Whether every write answers at once, or those without RETURNING are kept back. */
  readonly mode: "eager" | "lazy";
  /** It refuses writes. */
  readonly readOnly: boolean;
  /** Runs of the function after the first. */
  readonly retries: number;
  /** It waits for its turn among others of the client. */
  readonly turns: boolean;
  /** Each statement begins the deadline again. */
  readonly perStatement: boolean;
}

/** {@linkcode TransactionOptions}, checked. */
export const TRANSACTION: Checks<TransactionOptions> = {
  ...CALL,
  lock: checkLock,
  scope: isName,
  isolation: oneOf("serializable", "none"),
  mode: oneOf("eager", "lazy"),
  readOnly: isBoolean,
  level: isLevel,
  timeoutPer: oneOf("transaction", "statement"),
  retries: isCount,
  turns: isBoolean,
  driver: isBoolean,
  rows: isRows,
};

/** The same for `begin()`. */
export const BEGIN: Checks<TransactionOptions> = {
  ...TRANSACTION,
  retries(value, name) {
    isCount(value, name);
    if (value !== 0) AGAIN(value, name);
  },
};

const AGAIN = refusing(
  "for a transaction that is begun, as nobody else can run it again: use transaction(fn) or withRetry(fn)",
);

/** Fills in the defaults of what was given for one transaction and for all of a client. */
export function resolveTransaction(
  host: Host,
  given: TransactionOptions,
): ResolvedTransactionOptions {
  const {
    lock,
    scope,
    isolation,
    mode,
    readOnly = false,
    retries,
    timeoutPer,
    turns,
    driver = false,
    ...rest
  } = given;
  const known = host.settings(rest);
  const settings: Settings = {
    ...known,
    level: rest.level ?? readLevel(given, known.level),
    freshness: undefined,
    freshnessStrict: false,
  };
  return {
    settings,
    checkLevel: known.level === "none" || known.level === "auto" ? "weak" : known.level,
    lock,
    // Whoever says how long the whole may take says it of this part; otherwise a lock's own default is shorter.
    lockTimeout: given.timeout ?? ACQUIRE_TIMEOUT,
    scope: scope ?? (lock === undefined ? undefined : `lock:${lock.name}`),
    isolation: isolation ?? "serializable",
    mode: mode ?? "eager",
    readOnly,
    retries: retries ?? (driver ? 0 : 10),
    turns: !readOnly && (turns ?? driver),
    perStatement: timeoutPer === "statement",
  };
}

/** A read that was stale fails at commit; what nobody checks then has to be right at once. */
function readLevel({ lock, scope, isolation, readOnly }: TransactionOptions, level: Level): Level {
  if (readOnly) return level;
  const versioned = lock !== undefined || scope !== undefined;
  // The version answers for the reads only if none of them is older than the version.
  return versioned && isolation === "none" ? "linearizable" : "weak";
}
