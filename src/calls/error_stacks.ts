import { RqliteError } from "../errors.ts";

/** Errors of an earlier call, or that went through the caller's own function: their stacks say more than a later one. */
const kept = new WeakSet<object>();

/** Where a call was made; the engine writes it out only when it is read. */
export interface Place {
  /** The lines of the stack from the call on, as the engine writes them. */
  readonly stack?: unknown;
}

type Capture = (target: Place, above: unknown) => void;

/** What V8 and JavaScriptCore have; elsewhere an error keeps the stack that it was made with. */
const { captureStackTrace: capture } = Error as { captureStackTrace?: Capture };

/** The line that called the function `above`, or that awaits it if it was resumed: a few microseconds. */
export function placeAbove(above: unknown): Place {
  const place: Place = {};
  capture?.(place, above);
  return place;
}

/** The error, if it is one of this package with the call at `place` first in its stack, in front of nothing else. */
export function told<T>(error: T, { stack }: Place): T {
  if (!(error instanceof RqliteError) || kept.has(error) || typeof stack !== "string") return error;
  const frames = stack.indexOf("\n    at ");
  if (frames < 0) return error;
  const value = `${error.name}: ${error.message}${stack.slice(frames)}`;
  Object.defineProperty(error, "stack", { value, configurable: true, writable: true });
  return error;
}

/** The error, which keeps its stack from now on. */
export function keep<T>(error: T): T {
  if (error instanceof RqliteError) kept.add(error);
  return error;
}

/**
 * Runs a call of the caller's: the stack of an error begins with the line that awaits it. That costs nothing until there
 * is one, as the engine can follow the promises; so the method has to return this promise as it is.
 *
 * @param place Where the call was made: for what is often returned to this package's own code, in place of awaited.
 */
export async function called<T>(work: () => T | Promise<T>, place?: Place): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What was thrown at once is not awaited by anybody yet.
    await undefined;
    throw told(error, place ?? placeAbove(called));
  }
}

/** Runs a function of the caller's: its errors keep their stacks. */
export async function ofCaller<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn();
  } catch (error) {
    throw keep(error);
  }
}
