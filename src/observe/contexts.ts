import type { Context, Span } from "./telemetry.ts";

/** The key of the active span in OpenTelemetry's contexts, the same in all versions of its API. */
const SPAN = Symbol.for("OpenTelemetry Context Key SPAN");

/** Where the first of its copies in a program keeps what was registered, for all others. */
const API = Symbol.for("opentelemetry.js.api.1");

/** The key of the transaction whose function runs. */
const TRANSACTION = Symbol("transaction");

/** A context of our own: whoever has registered none has one, too. */
class Values implements Context {
  readonly #base: Context | undefined;
  readonly #own: ReadonlyMap<symbol, unknown>;

  constructor(base: Context | undefined, own: ReadonlyMap<symbol, unknown> = new Map()) {
    this.#base = base;
    this.#own = own;
  }

  getValue(key: symbol): unknown {
    return this.#own.has(key) ? this.#own.get(key) : this.#base?.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new Values(this.#base, new Map(this.#own).set(key, value));
  }

  deleteValue(key: symbol): Context {
    return this.setValue(key, undefined);
  }
}

/** What is active where this is called. */
function active(): Context {
  const { context } = ((globalThis as Record<symbol, unknown>)[API] ?? {}) as {
    context?: { active(): Context };
  };
  return context?.active() ?? new Values(undefined);
}

/** The context in which the transaction of that name begins. */
export function contextOfTransaction(name: string): Context {
  return new Values(active()).setValue(TRANSACTION, name);
}

/** The context of a call, which belongs to the span of its transaction, or to what runs within that. */
export function contextOfCall(name: string | undefined, transaction: Span | undefined): Context {
  const around = active();
  if (transaction === undefined || around.getValue(TRANSACTION) === name) return around;
  return new Values(around).setValue(SPAN, transaction);
}
