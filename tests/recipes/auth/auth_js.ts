import assert from "node:assert/strict";
import { it } from "node:test";
import { Auth, type AuthConfig, skipCSRFCheck } from "@auth/core";
import type { Adapter } from "@auth/core/adapters";
import { everywhere, type Place } from "./place.ts";

const ORIGIN = "http://localhost:3000";
const COOKIE = "authjs.session-token";
const DAY = 86_400_000;

/** The methods that an application with a database uses. */
type Complete = Required<Adapter>;

/** A site whose visitors sign in by a link in a mail, and the mails that it sent. */
class Site {
  readonly links: string[] = [];
  readonly #config: AuthConfig;

  constructor(adapter: Adapter) {
    this.#config = {
      adapter,
      basePath: "/auth",
      secret: "only for tests",
      trustHost: true,
      skipCSRFCheck,
      session: { strategy: "database" },
      logger: { error() {}, warn() {}, debug() {} },
      providers: [{
        id: "mail",
        type: "email",
        name: "Mail",
        from: "site@example.com",
        maxAge: DAY / 1000,
        options: {},
        sendVerificationRequest: ({ url }) => void this.links.push(url),
      }],
    };
  }

  async askForLink(email: string): Promise<string> {
    const body = new URLSearchParams({ email });
    await this.#answer(new Request(`${ORIGIN}/auth/signin/mail`, { method: "POST", body }));
    return this.links.at(-1)!;
  }

  /** Follows a link, and tells the token of the session that it began. */
  async follow(link: string): Promise<string | undefined> {
    const response = await this.#answer(new Request(link));
    const cookies = response.headers.getSetCookie().map((text) => text.split(";")[0]!);
    return cookies.find((text) => text.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  }

  /** Whose session this is, or nobody's. */
  async visitor(token: string): Promise<string | undefined> {
    const headers = { cookie: `${COOKIE}=${token}` };
    const response = await this.#answer(new Request(`${ORIGIN}/auth/session`, { headers }));
    const session = await response.json() as { user: { email: string } } | null;
    return session?.user.email;
  }

  #answer(request: Request): Promise<Response> {
    return Auth(request, this.#config);
  }
}

/** How a user finds their database by an adapter of Auth.js. */
export interface Recipe {
  /** Makes the tables. */
  prepare(place: Place): Promise<void>;
  adapter(place: Place): Adapter;
}

/** Tests of Auth.js with one of its adapters. */
export function testAuthJs(title: string, { prepare, adapter }: Recipe): void {
  everywhere(title, prepare, (place) => {
    const methods = (): Complete => adapter(place()) as Complete;

    async function newUser(name: string): Promise<string> {
      const user = await methods().createUser({
        id: crypto.randomUUID(),
        email: `${name}@example.com`,
        emailVerified: null,
        name,
      });
      return user.id;
    }

    it("signs a visitor in by a link, which works once", async () => {
      const site = new Site(adapter(place()));
      const link = await site.askForLink("ada@example.com");
      const token = await site.follow(link);
      assert.equal(await site.visitor(token!), "ada@example.com");
      assert.equal(await site.follow(link), undefined);
      const user = await methods().getUserByEmail("ada@example.com");
      assert.ok(user!.emailVerified instanceof Date);
      assert.ok(Math.abs(user!.emailVerified.getTime() - Date.now()) < DAY);
    });

    it("refuses a session that expired, and removes it", async () => {
      const site = new Site(adapter(place()));
      const userId = await newUser("late");
      const expires = new Date(Date.now() - 1000);
      await methods().createSession({ sessionToken: "expired", userId, expires });
      const valid = new Date(Date.now() + DAY);
      await methods().createSession({ sessionToken: "valid", userId, expires: valid });
      assert.equal(await site.visitor("valid"), "late@example.com");
      assert.equal(await site.visitor("expired"), undefined);
      assert.equal(await methods().getSessionAndUser("expired"), null);
    });

    it("refuses a link that expired", async () => {
      const site = new Site(adapter(place()));
      const link = await site.askForLink("slow@example.com");
      const { count } = await expireTokens(place(), "slow@example.com");
      assert.equal(count, 1);
      assert.equal(await site.follow(link), undefined);
    });

    it("answers dates to the millisecond", async () => {
      const userId = await newUser("dates");
      const expires = new Date("2031-02-03T04:05:06.789Z");
      await methods().createSession({ sessionToken: "dates", userId, expires });
      const found = await methods().getSessionAndUser("dates");
      assert.deepEqual(found!.session, { sessionToken: "dates", userId, expires });
      assert.equal(found!.user.emailVerified, null);
      const whole = new Date("2032-01-01T00:00:00.000Z");
      const updated = await methods().updateSession({ sessionToken: "dates", expires: whole });
      assert.deepEqual(updated!.expires, whole);
    });

    it("uses a verification token once, also when asked twice at the same time", async () => {
      const { createVerificationToken, useVerificationToken } = methods();
      const key = { identifier: "once@example.com", token: "secret" };
      const expires = new Date(Date.now() + DAY);
      await createVerificationToken({ ...key, expires });
      const uses = await Promise.all([useVerificationToken(key), useVerificationToken(key)]);
      const [used] = uses.filter((use) => use !== null);
      assert.deepEqual(used, { ...key, expires });
      assert.equal(uses.filter((use) => use === null).length, 1);
    });

    it("finds a user by an account until it is unlinked", async () => {
      const userId = await newUser("linked");
      const key = { provider: "github", providerAccountId: "42" };
      const expires_at = Math.floor(Date.now() / 1000);
      await methods().linkAccount({ ...key, userId, type: "oauth", expires_at });
      assert.equal((await methods().getUserByAccount(key))?.email, "linked@example.com");
      await methods().unlinkAccount(key);
      assert.equal(await methods().getUserByAccount(key), null);
    });

    it("deletes with a user their sessions and accounts", async () => {
      const userId = await newUser("gone");
      const key = { provider: "github", providerAccountId: "43" };
      const expires = new Date(Date.now() + DAY);
      await methods().createSession({ sessionToken: "gone", userId, expires });
      await methods().linkAccount({ ...key, userId, type: "oauth" });
      await methods().deleteUser(userId);
      assert.equal(await methods().getUser(userId), null);
      for (const table of ["Session", "Account"]) {
        const { rows } = await place().other.query(
          `SELECT 1 FROM "${table}" WHERE "userId" = ?`,
          [userId],
        );
        assert.deepEqual(rows, [], table);
      }
    });

    it("refuses a second user with an e-mail that is taken", async () => {
      await newUser("unique");
      await assert.rejects(newUser("unique"), (error: Error & { cause?: unknown }) => {
        const { code } = (error.cause ?? error) as { code?: unknown };
        assert.equal(code, "SQLITE_CONSTRAINT_UNIQUE");
        return true;
      });
    });
  });
}

/** Makes the tokens of somebody a day older. */
async function expireTokens({ other }: Place, identifier: string): Promise<{ count: number }> {
  const { rowsAffected } = await other.execute(
    `UPDATE "VerificationToken" SET expires = CASE typeof(expires)
      WHEN 'integer' THEN expires - 200000000
      ELSE strftime('%Y-%m-%dT%H:%M:%fZ', expires, '-2 days') END WHERE identifier = ?`,
    [identifier],
  );
  return { count: rowsAffected };
}
