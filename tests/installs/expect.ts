/** Throws where two values are not the same JSON; the programs of this folder have no types of Node. */
export function expect(what: string, actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what} is ${is} and should be ${should}`);
}

/** Runs the body ten times at once. */
export function tenAtOnce<T>(body: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: 10 }, (_, i) => body(i)));
}
