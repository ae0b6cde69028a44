import type { Flags } from "./flags.ts";
import type { Store } from "./store.ts";
import { decodeLossy, decodeStrict } from "./utf8.ts";

/** See {@linkcode Turns.rest}. */
export type Rest = () => Promise<void> | undefined;

/** A request, read to its end, and the database it goes to. */
export interface Call {
  readonly store: Store;
  readonly method: string;
  readonly url: URL;
  readonly flags: Flags;
  /** The content type, "" for none. */
  readonly type: string;
  readonly body: Uint8Array;
  /** Between two statements: a promise to await, which rejects when the request is given up. */
  readonly rest: Rest;
}

/** The body as text; bytes that are not UTF-8 become U+FFFD. */
export function bodyText({ body }: Call): string {
  return decodeLossy(body, "\ufffd");
}

/** Whether the body is UTF-8. */
export function isText({ body }: Call): boolean {
  return decodeStrict(body) !== undefined;
}
