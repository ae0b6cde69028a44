import type { Context, Hono } from "hono";
import type { HTTPException } from "hono/http-exception";
import type { stream, streamSSE, streamText } from "hono/streaming";
import type { RqliteVariables } from "../../src/hono/mod.ts";

/** What the apps of these tests have. */
export interface AppEnv {
  Variables: RqliteVariables;
}

/** A context of these apps. */
export type AppContext = Context<AppEnv>;

/** One copy of Hono: what is used of it. */
export interface Copy {
  readonly version: string;
  readonly Hono: typeof Hono;
  readonly HTTPException: typeof HTTPException;
  readonly stream: typeof stream;
  readonly streamSSE: typeof streamSSE;
  readonly streamText: typeof streamText;
  /** Its own error handler asks an error for its answer, whatever class it is of (4.5). */
  readonly asksErrors: boolean;
}

// Only one version of a package is linked under its name; this is the place of every other one.
const OLD = "../../node_modules/.deno/hono@4.0.0/node_modules/hono/dist/";

async function load(
  version: string,
  asksErrors: boolean,
  specifiers: readonly [hono: string, exception: string, streaming: string],
): Promise<Copy> {
  const [hono, exception, streaming] = await Promise.all(
    specifiers.map((specifier) => import(specifier)),
  );
  const { Hono } = hono;
  const { HTTPException } = exception;
  const { stream, streamSSE, streamText } = streaming;
  return { version, asksErrors, Hono, HTTPException, stream, streamSSE, streamText };
}

/** The oldest Hono that is supported, and the newest. */
export const COPIES: readonly Copy[] = [
  await load("4.0.0", false, [
    `${OLD}index.js`,
    `${OLD}http-exception.js`,
    `${OLD}helper/streaming/index.js`,
  ]),
  await load("newest", true, ["hono", "hono/http-exception", "hono/streaming"]),
];
