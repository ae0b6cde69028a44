import type { Flags } from "./flags.ts";
import type { Store } from "./store.ts";
import type { Turn } from "./turn.ts";
import { decodeLossy, decodeStrict } from "./utf8.ts";

/** A request, read to its end, and the database it goes to. */
export interface Call {
  readonly store: Store;
  readonly method: string;
  readonly url: URL;
  readonly flags: Flags;
  /** The content type, "" for none. */
  readonly type: string;
  readonly body: Uint8Array;
  readonly turn: Turn;
}

/** The body as text; bytes that are not UTF-8 become U+FFFD. */
export function bodyText({ body }: Call): string {
  return decodeLossy(body, "\ufffd");
}

/** Whether the body is UTF-8. */
export function isText({ body }: Call): boolean {
  return decodeStrict(body) !== undefined;
}
