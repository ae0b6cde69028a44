/** What an error of Prisma holds where a driver adapter has thrown: it names no cause. */
interface PrismaError {
  readonly meta: { readonly driverAdapterError?: { readonly error?: unknown } } | undefined;
}

/** An error and what it was caused by, the outermost first, each once: ORMs and apps wrap errors into their own. */
export function causesOf(error: unknown): unknown[] {
  const chain = new Set(error === undefined ? [] : [error]);
  // What is added on the way is looked at, too.
  for (const one of chain) {
    if (!(one instanceof Error)) continue;
    const { meta } = one as Partial<PrismaError>;
    for (const cause of [one.cause, meta?.driverAdapterError?.error]) {
      if (cause !== undefined) chain.add(cause);
    }
  }
  return [...chain];
}
