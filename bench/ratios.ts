/** What a series of rounds comes to. */

/** The median of some figures, and the quartiles around it. */
export interface Spread {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/**
 * The figure below which a part of the others lies, between two of them where it falls between.
 *
 * @param part From 0 to 1.
 */
export function quantile(figures: readonly number[], part: number): number {
  if (figures.length === 0) throw new RangeError("There are no figures");
  const sorted = figures.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (place - below);
}

/** Median and quartiles. */
export function spread(figures: readonly number[]): Spread {
  const [low, median, high] = [0.25, 0.5, 0.75].map((part) => quantile(figures, part));
  return { low: low!, median: median!, high: high! };
}

/**
 * How many times as large `above` was as `below`, round by round: what the machine did meanwhile met both of a round, so
 * that a ratio is steadier than either.
 */
export function ratios(above: readonly number[], below: readonly number[]): Spread {
  return spread(above.map((figure, round) => figure / below[round]!));
}
