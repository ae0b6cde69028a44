import type { Dispatcher } from "./dispatch.ts";
import type { BatchOptions } from "./executor.ts";
import type { Settings } from "./options.ts";

/** What transactions use of a client: less than its users have, and closer to the wire. */
export interface Backend {
  /** Turns statements into requests. */
  readonly dispatcher: Dispatcher;
  /**
   * What a call is run with: its options, which were read already, over the client's.
   *
   * @throws {InterfaceError} If the client is closed.
   * @throws {TypeError} If two options do not fit together.
   */
  settings(options: BatchOptions): Settings;
  /** Whether RETURNING is put into a form that every server answers. */
  readonly returningRewrite: boolean;
}
