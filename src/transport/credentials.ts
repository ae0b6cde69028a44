import { Closing } from "../time/closing.ts";
import { within } from "../time/within.ts";

/** A user name and its password. */
export interface Credentials {
  /** The user's name, as the server knows it. */
  readonly username: string;
  /** The user's password, as plain text. */
  readonly password: string;
}

/** The value of a Basic authorization header (RFC 7617, UTF-8). */
export function basic({ username, password }: Credentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

/** How long requests wait for one that is asking, in milliseconds: on Workers that one may be gone, and never end. */
const LONGEST_SHARED = 3_000;

/** What a provider answered, or threw. */
type Answer = { readonly header: string } | { readonly error: unknown };

/** Gives each request its authorization header; concurrent requests share one answer of the provider. */
export class Authorization {
  readonly #provider: (() => Promise<Credentials>) | undefined;
  readonly #fixed: string | undefined;
  /** What the provider answered last, until it is refused. */
  #latest: string | undefined;
  #pending: { readonly answer: Promise<Answer>; readonly since: number } | undefined;

  /** @param source Fixed credentials, a function that is asked per request, or nothing. */
  constructor(source: Credentials | (() => Promise<Credentials>) | undefined) {
    if (typeof source === "function") this.#provider = source;
    else if (source !== undefined) this.#fixed = basic(source);
  }

  /** Whether asking again may give another answer. */
  get renewable(): boolean {
    return this.#provider !== undefined;
  }

  /** The header's value, or `undefined` without credentials. @param abort Ends the wait for another request. */
  header(abort?: AbortSignal): Promise<string | undefined> | string | undefined {
    return this.#provider === undefined ? this.#fixed : this.#share(this.#provider, abort);
  }

  /** The value in place of one that was refused: what others that were refused have been given, or the provider's answer. */
  renewed(refused: string | undefined, abort?: AbortSignal): ReturnType<Authorization["header"]> {
    if (this.#latest === refused) this.#latest = undefined;
    return this.#latest ?? this.header(abort);
  }

  async #share(
    provider: () => Promise<Credentials>,
    abort: AbortSignal | undefined,
  ): Promise<string> {
    let answer: Answer | undefined;
    while (answer === undefined) {
      const pending = this.#pending;
      const left = pending === undefined ? 0 : pending.since + LONGEST_SHARED - performance.now();
      if (pending === undefined || left <= 0) {
        answer = await this.#ask(provider);
      } else {
        // Once the request that asked has ended, Workers reject the promise, older ones leave it as it is.
        // Who closes the client ends the exchange, and so this.
        const limits = { abort, closing: new Closing() };
        answer = await within(left, limits, () => pending.answer).catch(() => undefined);
        abort?.throwIfAborted();
        if (answer === undefined && this.#pending === pending) this.#pending = undefined;
      }
    }
    if ("error" in answer) throw answer.error;
    return this.#latest = answer.header;
  }

  async #ask(provider: () => Promise<Credentials>): Promise<Answer> {
    const answer = answerOf(provider);
    const mine = this.#pending = { answer, since: performance.now() };
    try {
      return await answer;
    } finally {
      if (this.#pending === mine) this.#pending = undefined;
    }
  }
}

async function answerOf(provider: () => Promise<Credentials>): Promise<Answer> {
  try {
    const { username, password } = await provider();
    // It may be one text, or one that is not there.
    if (typeof username !== "string" || typeof password !== "string") {
      throw new TypeError("Cannot use the answer of `credentials`: write { username, password }");
    }
    return { header: basic({ username, password }) };
  } catch (error) {
    return { error };
  }
}
