/** A signal that never fires and counts its listeners. */
export function countingSignal(): { signal: AbortSignal; count: () => number } {
  const { signal } = new AbortController();
  const listening = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = ((...args: Parameters<typeof add>) => {
    listening.add(args[1]);
    add(...args);
  }) as typeof signal.addEventListener;
  signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
    listening.delete(args[1]);
    remove(...args);
  }) as typeof signal.removeEventListener;
  return { signal, count: () => listening.size };
}
