/**
 * Waits until a promise is settled, but not longer than it makes sense; what becomes of it is not told.
 *
 * @param longest Milliseconds.
 * @param signals Any of them ends the wait.
 */
export async function waitFor(
  promise: Promise<void>,
  longest: number,
  signals: readonly AbortSignal[] = [],
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = (): void => {};
  const limit = new Promise<void>((resolve) => {
    stop = resolve;
    if (longest < 2 ** 31) timer = setTimeout(resolve, longest);
  });
  for (const signal of signals) {
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  }
  await Promise.race([promise, limit]);
  clearTimeout(timer);
  for (const signal of signals) signal.removeEventListener("abort", stop);
}
