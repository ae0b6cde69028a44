/** The part of Hono's context that is used, written down here so that every copy of Hono fits: npm's, JSR's, any 4.x. */
export interface HonoContext {
  /** What the runtime hands over with each request, such as the bindings of a Worker. */
  // Its type is the app's, and is lost here: Hono, too, takes it for `any` where nobody says it.
  // deno-lint-ignore no-explicit-any
  readonly env: any;
  /** The request. */
  readonly req: { readonly raw: Request; readonly method: string; readonly path: string };
  /** The answer so far. */
  readonly res: Response;
  /** Whether there is one. */
  readonly finalized: boolean;
  /** What a later handler threw, once `next()` has returned. */
  readonly error: Error | undefined;
  /** Sets a header of the answer. */
  header(name: string, value?: string, options?: { append?: boolean }): void;
  /** Reads a variable. */
  get(key: string): unknown;
  /** Stores a variable. */
  set(key: string, value: unknown): void;
}
