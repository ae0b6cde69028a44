/** A user name and its password. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The value of a Basic authorization header (RFC 7617, UTF-8). */
export function basic({ username, password }: Credentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** How long requests join one that is asking, in milliseconds: on Workers that one may be gone, and never end. */
const LONGEST_SHARED = 3_000;

/** Gives each request its authorization header; concurrent requests share one answer of the provider. */
export class Authorization {
  readonly #provider: (() => Promise<Credentials>) | undefined;
  readonly #fixed: string | undefined;
  #pending: { readonly answer: Promise<string>; readonly since: number } | undefined;

  /** @param source Fixed credentials, a function that is asked per request, or nothing. */
  constructor(source: Credentials | (() => Promise<Credentials>) | undefined) {
    if (typeof source === "function") this.#provider = source;
    else if (source !== undefined) this.#fixed = basic(source);
  }

  /** Whether asking again may give another answer. */
  get renewable(): boolean {
    return this.#provider !== undefined;
  }

  /** The header's value, or `undefined` without credentials. */
  header(): Promise<string | undefined> | string | undefined {
    return this.#provider === undefined ? this.#fixed : this.#ask(this.#provider);
  }

  #ask(provider: () => Promise<Credentials>): Promise<string> {
    const since = performance.now();
    if (this.#pending !== undefined && since - this.#pending.since < LONGEST_SHARED) {
      return this.#pending.answer;
    }
    const answer = (async () => basic(await provider()))().finally(() => {
      if (this.#pending === mine) this.#pending = undefined;
    });
    const mine = this.#pending = { answer, since };
    return answer;
  }
}
