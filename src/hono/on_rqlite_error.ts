import { RqliteError } from "../errors.ts";
import { causesOf } from "../transaction/causes.ts";
import { answerOf } from "./answer.ts";

/**
 * Answers what the database did to a request, for Hono's `app.onError`: with a fitting status and a JSON body of a fixed
 * text and the error's `code`, never with SQL, values or hosts.
 *
 * | error                                                     | status                          |
 * | --------------------------------------------------------- | ------------------------------- |
 * | a conflict                                                | 409                             |
 * | a constraint: unique, primary key, foreign key            | 409                             |
 * | a constraint: NOT NULL, CHECK, a type, a trigger          | 422                             |
 * | time is up                                                | 504                             |
 * | nobody reached, no leader, a stale node, a lock           | 503 with `Retry-After`          |
 * | the outcome is unknown                                    | 500: do not send it again blind |
 * | anything else, such as SQL that does not compile          | 500                             |
 *
 * What another error has as its `cause` counts, too, however deep, as ORMs wrap errors into their own, and what Prisma has
 * in its `meta`: the outermost that this table or Hono knows decides. Any other error is answered as Hono's own handler does: an `HTTPException` by itself, the rest with 500. What is
 * answered with 500 is logged by `console.error`, as nobody is told what it was.
 *
 * @param error What was thrown.
 * @param c The context: a request that its sender gave up is answered 499, which nobody reads, and not logged.
 *
 * @example
 * ```ts
 * import { IntegrityError } from "@tangled/rqlite";
 * import { onRqliteError } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const app = new Hono();
 * app.onError((error, c) => {
 *   if (error instanceof IntegrityError) return c.json({ taken: error.columns }, 409);
 *   return onRqliteError(error, c);
 * });
 * ```
 */
export function onRqliteError(
  error: Error,
  c?: { readonly req: { readonly raw: Request } },
): Response {
  const signal = c?.req.raw.signal as AbortSignal | undefined;
  for (const one of causesOf(error)) {
    if (one instanceof RqliteError) return logged(error, answerOf(one));
    if (answersItself(one)) return one.getResponse();
    if (signal?.aborted && signal.reason === one) return new Response(null, { status: 499 });
  }
  return logged(error, new Response("Internal Server Error", { status: 500 }));
}

function answersItself(error: unknown): error is Error & { getResponse(): Response } {
  return error instanceof Error && "getResponse" in error &&
    typeof error.getResponse === "function";
}

function logged(error: Error, answer: Response): Response {
  // It takes the place of Hono's own handler, which does the same: an error that nobody sees is nobody's.
  // deno-lint-ignore no-console
  if (answer.status === 500) console.error(error);
  return answer;
}
