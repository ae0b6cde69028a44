/** An error and what it was caused by, the outermost first, each once: ORMs and apps wrap errors into their own. */
export function causesOf(error: unknown): unknown[] {
  const chain = new Set<unknown>();
  for (let one = error; one !== undefined && !chain.has(one);) {
    chain.add(one);
    one = one instanceof Error ? one.cause : undefined;
  }
  return [...chain];
}
