import { type Executor, ProgrammingError } from "@tangled/rqlite";
import type { RqliteClient } from "./session.ts";

/** What stands at `$client` of `drizzle.mock()`: whatever it is asked is a `ProgrammingError`. */
export type MockClient = RqliteClient;

/** A client of nothing. */
export function mockClient(): MockClient {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new ProgrammingError(
        "Cannot run anything on drizzle.mock(), which has no client: use drizzle(url)",
      ),
    );
  const methods: Record<keyof Executor | "transaction", () => Promise<never>> = {
    query: refuse,
    execute: refuse,
    batch: refuse,
    first: refuse,
    value: refuse,
    transaction: refuse,
  };
  return methods;
}
