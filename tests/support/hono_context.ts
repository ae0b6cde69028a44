import type { HonoContext } from "../../src/hono/context.ts";

/** A request to an app of Hono that has no variables but that of the middleware, which `found` is given. */
export function honoContext(found: (value: unknown) => void = () => {}): HonoContext {
  let variable: unknown;
  return {
    env: {},
    req: { raw: new Request("http://a"), method: "GET", path: "/" },
    res: new Response(),
    finalized: false,
    error: undefined,
    header: () => {},
    get: () => variable,
    set: (_, value) => found(variable = value),
  };
}
