import { test as nodeTest } from "node:test";

/**
 * Registers a test that may leave nothing behind: on Deno, an unfinished timer, an open response body
 * or socket fails it. Elsewhere it is an ordinary `node:test`.
 */
export function test(name: string, fn: () => void | Promise<void>): void {
  if (typeof Deno === "undefined") return void nodeTest(name, fn);
  Deno.test({ name, fn, sanitizeOps: true, sanitizeResources: true, sanitizeExit: true });
}
