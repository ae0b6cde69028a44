/** The servers that the suite runs against; set before it is loaded. */
export interface Environment {
  /** A node that is this suite's own. */
  readonly url: string;
  /** Another one, that enforces foreign keys. */
  readonly foreignKeysUrl: string;
  /** Level "linearizable" is real there. */
  readonly linearizable: boolean;
}

/** Reads what the runner has set. */
export function environment(): Environment {
  return (globalThis as unknown as { TEST_ENVIRONMENT: Environment }).TEST_ENVIRONMENT;
}
