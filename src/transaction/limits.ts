import type { CallOptions } from "../calls/executor.ts";
import { TimeoutError } from "../errors.ts";
import { Closing } from "../time/closing.ts";
import { Interrupted, within } from "../time/within.ts";
import type { Step } from "./step.ts";

/** A statement's limits end the statement; what ends the transaction ends the wait for it by itself. */
export const NEVER: Closing = new Closing();

/** Fails statements that were issued together when their own limits say so; the transaction can go on without them. */
export function limit(steps: readonly Step[], { signal, timeout }: CallOptions): void {
  if (signal === undefined && timeout === undefined) return;
  for (const step of steps) step.limited = true;
  const settled = (): Promise<void> => new Promise((resolve) => whenAllSettled(steps, resolve));
  within(timeout ?? Infinity, { abort: signal, closing: NEVER }, settled).catch(
    (error: unknown) => {
      const aborted = error instanceof Interrupted && error.by === "abort";
      const reason: unknown = aborted ? signal!.reason : tooLate();
      for (const step of steps) step.fail(reason);
    },
  );
}

/** Fires when nobody waits for any of the statements any more; `undefined` where somebody does until the end. */
export function abandonment(steps: readonly Step[]): AbortSignal | undefined {
  if (!steps.every(({ limited }) => limited)) return undefined;
  const controller = new AbortController();
  whenAllSettled(steps, () => controller.abort());
  return controller.signal;
}

function whenAllSettled(steps: readonly Step[], callback: () => void): void {
  let left = steps.length;
  for (const step of steps) step.result.whenSettled(() => --left === 0 && callback());
}

function tooLate(): TimeoutError {
  return new TimeoutError(
    "The statement took longer than its `timeout`: nothing of it was kept, and the transaction can go on",
  );
}
