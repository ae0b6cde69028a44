import assert from "node:assert/strict";
import { before, it } from "node:test";
import type { Client } from "@tangled/rqlite";
import type { BetterAuthOptions } from "better-auth";
import { APIError } from "better-auth/api";
import { everywhere, type Place } from "./place.ts";

/** What better-auth makes, as far as tests use it. */
export interface Auth {
  handler(request: Request): Promise<Response>;
}

/** What a test reads of better-auth's answers. */
interface Answer {
  readonly status: number;
  readonly cookie: string;
  // deno-lint-ignore no-explicit-any -- JSON, looked at by assertions only.
  readonly body: any;
}

const ORIGIN = "http://localhost:3000";

/** Options that all of these tests have in common. */
export const OPTIONS = {
  baseURL: ORIGIN,
  secret: "only for tests, but long enough: 0123456789",
  emailAndPassword: {
    enabled: true,
    // What better-auth does by itself takes most of a second, by intention.
    password: {
      hash: (password: string) => Promise.resolve(`hash of ${password}`),
      verify: ({ hash, password }: { hash: string; password: string }) =>
        Promise.resolve(hash === `hash of ${password}`),
    },
  },
  telemetry: { enabled: false },
  logger: { disabled: true },
  user: { deleteUser: { enabled: true } },
} satisfies BetterAuthOptions;

async function call(
  auth: Auth,
  path: string,
  { body, cookie = "" }: { body?: unknown; cookie?: string } = {},
): Promise<Answer> {
  const headers = { origin: ORIGIN, cookie, "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await auth.handler(
    new Request(`${ORIGIN}/api/auth${path}`, { headers, ...init }),
  );
  const cookies = response.headers.getSetCookie().map((text) => text.split(";")[0]);
  const text = await response.text();
  return {
    status: response.status,
    cookie: cookies.join("; "),
    body: text === "" ? undefined : JSON.parse(text),
  };
}

const PASSWORD = "correct horse battery staple";

/** Asks for a user of that name. */
export function signUp(auth: Auth, name: string): Promise<Answer> {
  return call(auth, "/sign-up/email", {
    body: { name, email: `${name}@example.com`, password: PASSWORD },
  });
}

function signIn(auth: Auth, name: string, secret = PASSWORD): Promise<Answer> {
  return call(auth, "/sign-in/email", {
    body: { email: `${name}@example.com`, password: secret },
  });
}

const session = (auth: Auth, cookie: string): Promise<Answer> =>
  call(auth, "/get-session", { cookie });

/** Runs a statement past better-auth, and answers the first cell. */
async function cell({ other }: Place, sql: string, ...params: string[]): Promise<unknown> {
  const { rows } = await other.execute<unknown[]>(sql, params, { rows: "array" });
  return rows[0]?.[0];
}

/** How a user finds their database by better-auth. */
export interface Recipe {
  /** Makes the tables. */
  prepare(place: Place): Promise<void>;
  /** Makes an instance on a client. */
  auth(client: Client, options: BetterAuthOptions): Auth;
}

/** Tests of better-auth with one of its adapters, in transactions. */
export function testBetterAuth(title: string, recipe: Recipe): void {
  everywhere(title, recipe.prepare, (place) => {
    let auth: Auth;
    before(() => void (auth = recipe.auth(place().client, OPTIONS)));

    it("signs up ten users at once, each with an account and a session", async () => {
      const names = Array.from({ length: 10 }, (_, i) => `crowd${i}`);
      const answers = await Promise.all(names.map((name) => signUp(auth, name)));
      assert.deepEqual(answers.map(({ status }) => status), names.map(() => 200));
      const joined = `FROM user JOIN account ON account."userId" = user.id
        JOIN session ON session."userId" = user.id WHERE user.email LIKE 'crowd%'`;
      assert.equal(await cell(place(), `SELECT count(*) ${joined}`), 10);
      assert.equal(await cell(place(), `SELECT count(DISTINCT user.id) ${joined}`), 10);
      const sessions = await Promise.all(answers.map(({ cookie }) => session(auth, cookie)));
      assert.deepEqual(sessions.map(({ body }) => body.user.name), names);
    });

    it("signs up users by two clients at once", async () => {
      const second = recipe.auth(place().other, OPTIONS);
      const names = Array.from({ length: 6 }, (_, i) => `both${i}`);
      const answers = await Promise.all(
        names.map((name, i) => signUp(i % 2 === 0 ? auth : second, name)),
      );
      assert.deepEqual(answers.map(({ status }) => status), names.map(() => 200));
      assert.equal(
        await cell(place(), "SELECT count(*) FROM user WHERE email LIKE 'both%'"),
        6,
      );
    });

    it("signs in, knows the session, lists it, and forgets it by signing out", async () => {
      await signUp(auth, "ada");
      const { status, cookie } = await signIn(auth, "ada");
      assert.equal(status, 200);
      const { body } = await session(auth, cookie);
      assert.equal(body.user.email, "ada@example.com");
      assert.equal(body.user.emailVerified, false);
      const seconds = (Date.parse(body.session.expiresAt) - Date.now()) / 1000;
      assert.ok(seconds > 6 * 86_400 && seconds <= 7 * 86_400, `${seconds} s`);
      // One of the sign-up, one of the sign-in.
      const list = await call(auth, "/list-sessions", { cookie });
      assert.equal(list.body.length, 2);
      assert.equal((await call(auth, "/sign-out", { cookie, body: {} })).status, 200);
      assert.equal((await session(auth, cookie)).body, null);
    });

    it("refuses a wrong password", async () => {
      await signUp(auth, "bob");
      const { status, body, cookie } = await signIn(auth, "bob", "wrong");
      assert.deepEqual([status, body.code], [401, "INVALID_EMAIL_OR_PASSWORD"]);
      assert.equal(cookie, "");
    });

    it("gives an e-mail to one of those who ask at once, and to none later", async () => {
      const answers = await Promise.all([signUp(auth, "cleo"), signUp(auth, "cleo")]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 422]);
      const { status, body } = await signUp(auth, "cleo");
      assert.deepEqual([status, body.code], [422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"]);
      assert.equal(
        await cell(place(), "SELECT count(*) FROM user WHERE email = 'cleo@example.com'"),
        1,
      );
    });

    it("refuses a session that expired", async () => {
      const { cookie, body } = await signUp(auth, "late");
      assert.equal((await session(auth, cookie)).body.user.name, "late");
      await cell(
        place(),
        `UPDATE session SET "expiresAt" = CASE typeof("expiresAt")
          WHEN 'integer' THEN "expiresAt" - 31536000000
          ELSE strftime('%Y-%m-%dT%H:%M:%fZ', "expiresAt", '-1 year') END WHERE token = ?`,
        body.token,
      );
      assert.equal((await session(auth, cookie)).body, null);
    });

    it("changes a password, and ends the other sessions", async () => {
      const first = await signUp(auth, "dora");
      const { cookie } = await signIn(auth, "dora");
      const body = {
        currentPassword: PASSWORD,
        newPassword: "another one",
        revokeOtherSessions: true,
      };
      assert.equal((await call(auth, "/change-password", { cookie, body })).status, 200);
      assert.equal((await session(auth, first.cookie)).body, null);
      assert.equal((await signIn(auth, "dora")).status, 401);
      assert.equal((await signIn(auth, "dora", body.newPassword)).status, 200);
    });

    it("resets a password by a link, which works once", async () => {
      await signUp(auth, "emil");
      const tokens: string[] = [];
      const sendResetPassword = ({ token }: { token: string }) =>
        Promise.resolve(void tokens.push(token));
      const sending = recipe.auth(place().client, {
        ...OPTIONS,
        emailAndPassword: { ...OPTIONS.emailAndPassword, sendResetPassword },
      });
      await call(sending, "/request-password-reset", { body: { email: "emil@example.com" } });
      const [token] = tokens;
      const link = `/reset-password/${token}?callbackURL=${encodeURIComponent("/new-password")}`;
      assert.equal((await call(sending, link)).status, 302);
      const answers = await Promise.all(
        ["the first one", "the second one"].map((newPassword) =>
          call(sending, "/reset-password", { body: { newPassword, token } })
        ),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
      const stored = answers[0]!.status === 200 ? "the first one" : "the second one";
      assert.equal((await signIn(auth, "emil", stored)).status, 200);
      assert.equal((await signIn(auth, "emil")).status, 401);
    });

    it("keeps no user of a sign-up that fails at the account", async () => {
      const failing = recipe.auth(place().client, {
        ...OPTIONS,
        databaseHooks: {
          account: { create: { before: () => Promise.reject(new APIError("FORBIDDEN")) } },
        },
      });
      assert.equal((await signUp(failing, "half")).status, 403);
      assert.equal(
        await cell(place(), "SELECT count(*) FROM user WHERE email = 'half@example.com'"),
        0,
      );
    });

    it("deletes a user with their sessions and accounts", async () => {
      const { cookie, body } = await signUp(auth, "gone");
      const deleted = await call(auth, "/delete-user", { cookie, body: { password: PASSWORD } });
      assert.equal(deleted.status, 200);
      for (const table of ["session", "account"]) {
        const sql = `SELECT count(*) FROM ${table} WHERE "userId" = ?`;
        assert.equal(await cell(place(), sql, body.user.id), 0, table);
      }
    });
  });
}

/**
 * A test of what becomes of a sign-up whose e-mail another process takes while it runs, where the client runs
 * transactions again that collide.
 */
export function testCollision(title: string, recipe: Recipe, expected: string): void {
  everywhere(title, recipe.prepare, (place) => {
    it(`answers ${expected} to a sign-up that collides with another process`, async () => {
      let runs = 0;
      const collide = async (): Promise<void> => {
        if (++runs > 1) return;
        await cell(
          place(),
          `INSERT INTO user(id, name, email, "emailVerified", "createdAt", "updatedAt")
            VALUES('x', 'Fay', 'fay@example.com', 0, 0, 0)`,
        );
      };
      const client = place().connect({ transaction: { retries: 3 } });
      const auth = recipe.auth(client, {
        ...OPTIONS,
        // Else it prints what it does not know.
        onAPIError: { throw: true },
        databaseHooks: { account: { create: { before: collide } } },
      });
      const code = await signUp(auth, "fay").then(
        ({ body }) => body.code,
        (error: { readonly code?: unknown }) => error.code,
      );
      assert.equal(code, expected);
      assert.equal(await cell(place(), "SELECT group_concat(id) FROM user"), "x");
      assert.equal(await cell(place(), "SELECT count(*) FROM account"), 0);
      await client.close();
    });
  });
}
