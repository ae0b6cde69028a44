import type { Connection } from "./connection.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Deadline } from "../time/deadline.ts";
import type { BatchOptions } from "./executor.ts";
import type { Layers } from "./layers.ts";
import type { Settings } from "./options.ts";

/** What is there of a client before its first call. */
export interface Host {
  /**
   * What a call is run with: its options, which were read already, over the client's.
   *
   * @throws {InterfaceError} If the client is closed.
   * @throws {TypeError} If two options do not fit together.
   */
  settings(options: BatchOptions): Settings;
  /** The client's one connection. @param made What the first who asks for it makes it of, and has loaded. */
  connectedBy(made: typeof Connection): Connection;
}

/** What transactions use of a client: less than its users have, and closer to the wire. */
export interface Backend extends Pick<Host, "settings"> {
  /** Turns statements into requests. */
  readonly dispatcher: Dispatcher;
  /** Whether RETURNING is put into a form that every server answers. */
  readonly returningRewrite: boolean;
  /** Calls have interceptors around them. */
  readonly intercepted: boolean;
  /** Runs something with those interceptors: the one way to them. */
  through<T>(deadline: Deadline, work: (layers: Layers) => T | Promise<T>): T | Promise<T>;
}
