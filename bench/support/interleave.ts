/** Something to be measured. */
export type Case = () => unknown;

/**
 * Runs the cases in turns, so that whatever else the machine does meets them alike, and gives the median time of
 * each, in milliseconds.
 */
export async function interleave<K extends string>(
  cases: Readonly<Record<K, Case>>,
  rounds: number,
): Promise<Record<K, number>> {
  const names = Object.keys(cases) as K[];
  const times = new Map(names.map((name) => [name, [] as number[]]));
  const warmUp = Math.ceil(rounds / 5);
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const start = performance.now();
      await cases[name]();
      if (round >= 0) times.get(name)!.push(performance.now() - start);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name)!)])) as Record<
    K,
    number
  >;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
