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

/** Gives each request its authorization header; concurrent requests share one answer of the provider. */
export class Authorization {
  readonly #provider: (() => Promise<Credentials>) | undefined;
  readonly #fixed: string | undefined;
  #pending: Promise<string> | undefined;

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
    this.#pending ??= (async () => basic(await provider()))().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }
}
