/** What a call was given and what it took, in milliseconds. */
export interface Timed {
  readonly what: string;
  readonly timeout: number;
  readonly took: number;
}

/** How long a call may outlive its deadline, in milliseconds. */
export const GRACE = 1_000;

/** Did each call end within its deadline, or at most a second later? */
export function checkDeadlines(calls: readonly Timed[]): string[] {
  return calls.filter(({ timeout, took }) => took > timeout + GRACE)
    .map(({ what, timeout, took }) => `${what} took ${took} ms of ${timeout} ms`);
}
