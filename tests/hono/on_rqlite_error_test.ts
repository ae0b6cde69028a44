import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import * as errors from "../../mod.ts";
import { onRqliteError, RequestConflictError } from "../../src/hono/mod.ts";
import { COPIES } from "./copies.ts";

const SECRETS = "SELECT secret FROM users; http://10.0.0.1:4001";
const init = { sql: SECRETS, node: "http://10.0.0.1:4001", lock: "orders" };
const conflict = new errors.TransactionConflictError(SECRETS, init);

const constraint = (constraint: errors.Constraint) =>
  new errors.IntegrityError(SECRETS, { ...init, constraint, table: "users", columns: ["secret"] });

const CASES: [error: Error, status: number][] = [
  [conflict, 409],
  [new RequestConflictError(conflict), 409],
  [constraint("unique"), 409],
  [constraint("primarykey"), 409],
  [constraint("rowid"), 409],
  [constraint("foreignkey"), 409],
  [constraint("notnull"), 422],
  [constraint("check"), 422],
  [constraint("datatype"), 422],
  [constraint("trigger"), 422],
  [new errors.TimeoutError(SECRETS, init), 504],
  [new errors.ConnectionError(SECRETS, init), 503],
  [new errors.StaleReadError(SECRETS, init), 503],
  [new errors.OperationalError(SECRETS, { ...init, retryable: true }), 503],
  [new errors.LockTimeoutError(SECRETS, init), 503],
  [new errors.LockLostError(SECRETS, init), 503],
  [new errors.LockUnavailableError(SECRETS, init), 503],
  [new errors.OutcomeUnknownError(SECRETS, init), 500],
  [new errors.OperationalError(SECRETS, init), 500],
  [new errors.AuthenticationError(SECRETS, init), 500],
  [new errors.ProgrammingError(SECRETS, init), 500],
  [new errors.DataError(SECRETS, init), 500],
  [new errors.NotSupportedError(SECRETS, init), 500],
  [new errors.InternalError(SECRETS, init), 500],
  [new errors.InterfaceError(SECRETS), 500],
  [new Error(SECRETS), 500],
];

/** Runs with `console.error` kept quiet; gives what was logged. */
async function quietly(run: () => Promise<unknown>): Promise<unknown[]> {
  const logged = mock.method(console, "error", () => {});
  try {
    await run();
    return logged.mock.calls.map((call) => call.arguments[0] as unknown);
  } finally {
    logged.mock.restore();
  }
}

describe("onRqliteError()", () => {
  for (const { version, Hono, HTTPException } of COPIES) {
    it(`answers every error without SQL, values or hosts [hono ${version}]`, async () => {
      for (const [error, status] of CASES) {
        const app = new Hono();
        app.onError(onRqliteError);
        app.get("/", () => {
          throw error;
        });
        const logged = await quietly(async () => {
          const answer = await app.request("/");
          assert.equal(answer.status, status, error.name);
          assert.equal(answer.headers.has("retry-after"), status === 503, error.name);
          const body = await answer.text();
          assert.doesNotMatch(body, /secret|SELECT|http|users|orders/, error.name);
          if (error instanceof errors.RqliteError) assert.equal(JSON.parse(body).code, error.code);
        });
        assert.deepEqual(logged, status === 500 ? [error] : []);
      }
    });

    it(`looks through the causes of an error, however deep and even in circles [hono ${version}]`, async () => {
      const wrap = (cause: unknown, depth: number): Error =>
        depth === 0 ? cause as Error : new Error(SECRETS, { cause: wrap(cause, depth - 1) });
      const circle = new Error(SECRETS);
      circle.cause = new Error(SECRETS, { cause: circle });
      const tea = new HTTPException(418, { message: "tea", cause: conflict });
      const cases: [Error, number][] = [
        [wrap(constraint("unique"), 1), 409],
        [wrap(conflict, 20), 409],
        [wrap(new errors.TimeoutError(SECRETS, { ...init, cause: conflict }), 2), 504],
        [wrap(tea, 3), 418],
        [wrap("no error", 2), 500],
        [circle, 500],
      ];
      for (const [error, status] of cases) {
        const app = new Hono();
        app.onError(onRqliteError);
        app.get("/", () => {
          throw error;
        });
        const logged = await quietly(async () => {
          const answer = await app.request("/");
          assert.equal(answer.status, status);
          assert.doesNotMatch(await answer.text(), /secret|SELECT|http|users|orders/);
        });
        assert.deepEqual(logged, status === 500 ? [error] : []);
      }
    });

    it(`lets an HTTPException answer itself [hono ${version}]`, async () => {
      const app = new Hono();
      app.onError(onRqliteError);
      app.get("/", () => {
        throw new HTTPException(418, { message: "tea" });
      });
      const answer = await app.request("/");
      assert.deepEqual([answer.status, await answer.text()], [418, "tea"]);
    });

    it(`answers 499 to a sender that is gone, and logs nothing [hono ${version}]`, async () => {
      const app = new Hono();
      app.onError(onRqliteError);
      const controller = new AbortController();
      app.get("/", (c) => {
        controller.abort(new Error("gone"));
        const { reason } = c.req.raw.signal;
        throw c.req.query("wrapped") === undefined ? reason : new Error("no", { cause: reason });
      });
      const logged = await quietly(async () => {
        for (const path of ["/", "/?wrapped"]) {
          const answer = await app.request(path, { signal: controller.signal });
          assert.equal(answer.status, 499);
        }
      });
      assert.deepEqual(logged, []);
    });
  }
});
