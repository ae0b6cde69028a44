import { type RetryOptions, RqliteError, withRetry as retry } from "@tangled/rqlite";

/**
 * Runs a function again while it throws an error of Prisma that says that nothing was kept and that another run may
 * succeed, such as a conflict (P2034), after a random wait that grows. The function must begin a new transaction each time.
 *
 * @throws {TypeError} If `fn` is no function, such as a promise that is under way already.
 * @throws What the last run threw, or the signal's reason.
 *
 * @example
 * ```ts ignore
 * import { withRetry } from "@tangled/rqlite-prisma";
 *
 * await withRetry(() =>
 *   prisma.$transaction(async (tx) => {
 *     const account = await tx.account.findUniqueOrThrow({ where: { id: 1 } });
 *     await tx.account.update({ where: { id: 1 }, data: { balance: account.balance - 30 } });
 *   })
 * );
 * ```
 */
export async function withRetry<T>(
  fn: () => Promise<T>,
  options?: RetryOptions,
): Promise<T> {
  let thrown: { readonly by: RqliteError; readonly error: unknown } | undefined;
  const run = async (): Promise<T> => {
    thrown = undefined;
    try {
      return await fn();
    } catch (error) {
      const by = causeOf(error);
      if (by === undefined) throw error;
      thrown = { by, error };
      throw by;
    }
  };
  try {
    return await retry(typeof fn === "function" ? run : fn, options);
  } catch (error) {
    throw thrown !== undefined && thrown.by === error ? thrown.error : error;
  }
}

/** Prisma keeps what an adapter threw in the `meta` of its own errors. */
function causeOf(error: unknown): RqliteError | undefined {
  const { meta } = (error ?? {}) as {
    meta?: { driverAdapterError?: { error?: unknown } };
  };
  const cause = meta?.driverAdapterError?.error;
  return cause instanceof RqliteError ? cause : undefined;
}
