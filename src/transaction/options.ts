import type { Backend } from "../client/backend.ts";
import type { Level } from "../client/executor.ts";
import type { Settings } from "../client/options.ts";
import { ACQUIRE_TIMEOUT, checkLock } from "../locks/acquire_options.ts";
import type { Lock } from "../locks/lock.ts";
import type { TransactionOptions } from "./transaction.ts";

/** {@linkcode TransactionOptions} with every default filled in. */
export interface ResolvedTransactionOptions {
  /** For reads while the transaction runs. */
  readonly settings: Settings;
  /** For the check of a transaction that only read. */
  readonly checkLevel: Level;
  readonly lock: Lock | undefined;
  /** How long to wait for the lock at most, in milliseconds. */
  readonly lockTimeout: number;
  readonly scope: string | undefined;
  readonly isolation: "serializable" | "none";
  readonly mode: "eager" | "lazy";
  readonly readOnly: boolean;
  readonly retries: number;
  /** Each statement begins the deadline again. */
  readonly perStatement: boolean;
}

const CHOICES = {
  isolation: ["serializable", "none"],
  mode: ["eager", "lazy"],
  timeoutPer: ["transaction", "statement"],
} as const;

/**
 * Reads the options of one transaction over those of the client.
 *
 * @throws {TypeError|RangeError} If one of them is wrong.
 */
export function resolveTransaction(
  backend: Backend,
  defaults: TransactionOptions,
  options: TransactionOptions = {},
): ResolvedTransactionOptions {
  const merged: TransactionOptions = { ...defaults, ...withoutUndefined(options) };
  const { lock, scope, isolation, mode, readOnly, retries, level, timeoutPer, ...rest } = merged;
  choose("isolation", isolation);
  choose("mode", mode);
  choose("timeoutPer", timeoutPer);
  const known = backend.settings({ ...rest, ...(level !== undefined && { level }) });
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 0)) {
    throw new RangeError(
      `Cannot use \`retries\` as it must be an integer from 0 on: current value is ${retries}`,
    );
  }
  if (lock !== undefined) checkLock(lock);
  if (scope !== undefined && (typeof scope !== "string" || scope === "")) {
    throw new TypeError("Cannot use `scope` as it must be a name");
  }
  const settings: Settings = {
    ...known,
    level: level ?? readLevel(merged, known.level),
    freshness: undefined,
    freshnessStrict: false,
  };
  return {
    settings,
    checkLevel: known.level === "none" || known.level === "auto" ? "weak" : known.level,
    lock,
    // Whoever says how long the whole may take says it of this part; otherwise a lock's own default is shorter.
    lockTimeout: merged.timeout ?? ACQUIRE_TIMEOUT,
    scope: scope ?? (lock === undefined ? undefined : `lock:${lock.name}`),
    isolation: isolation ?? "serializable",
    mode: mode ?? "eager",
    readOnly: readOnly ?? false,
    retries: retries ?? 10,
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

function choose(name: keyof typeof CHOICES, value: string | undefined): void {
  const choices: readonly string[] = CHOICES[name];
  if (value === undefined || choices.includes(value)) return;
  throw new TypeError(
    `Cannot use \`${name}\` as it must be one of ${choices.join(", ")}: current value is ${value}`,
  );
}

function withoutUndefined(options: TransactionOptions): TransactionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
