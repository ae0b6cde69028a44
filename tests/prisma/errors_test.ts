// What goes wrong, under the codes that Prisma has for it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, IntegrityError, RqliteError } from "../../mod.ts";
import { PrismaRqlite } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { Prisma, PrismaClient } from "./generated/client.ts";
import { SQL, suites } from "./world.ts";

/** Apart from its use, as Prisma quotes the lines around a call. */
const PASSWORD = "wr0ng-pass";

type Known = Prisma.PrismaClientKnownRequestError;

/** Fails unless it rejects with an error of Prisma; answers that. */
async function failure(promise: Promise<unknown>): Promise<Known> {
  const error: unknown = await promise.then(() => undefined, (error) => error);
  assert.ok(error instanceof Prisma.PrismaClientKnownRequestError, String(error));
  return error;
}

/** What the client threw. */
function causeOf({ meta }: Known): RqliteError {
  const { error } = meta!.driverAdapterError as { error: unknown };
  assert.ok(error instanceof RqliteError);
  return error;
}

suites("errors of Prisma", (test) => {
  test("a unique constraint is P2002 with its fields", async ({ prisma }) => {
    const author = { create: { email: "a" } };
    const post = await prisma.post.create({ data: { title: "One", author } });
    const user = await failure(prisma.user.create({ data: { email: "a" } }));
    assert.equal(user.code, "P2002");
    assert.match(user.message, /Unique constraint failed on the fields: \(`email`\)/);
    assert.equal(user.meta?.modelName, "User");
    assert.ok(causeOf(user) instanceof IntegrityError);
    const two = await failure(
      prisma.post.create({ data: { title: "One", authorId: post.authorId } }),
    );
    assert.match(two.message, /\(`authorId`, `title`\)/);
    await prisma.tag.create({ data: { name: "t" } });
    const key = await failure(prisma.tag.create({ data: { name: "t" } }));
    assert.match(key.message, /P2002|Unique constraint failed on the fields: \(`name`\)/);
  });

  test("a foreign key is P2003: of a row that is not there, and of one that is in use", async ({ prisma }) => {
    const absent = await failure(prisma.post.create({ data: { title: "x", authorId: 12345 } }));
    assert.equal(absent.code, "P2003");
    await prisma.user.create({ data: { email: "a", posts: { create: { title: "x" } } } });
    const used = await failure(prisma.user.delete({ where: { email: "a" } }));
    assert.equal(used.code, "P2003");
  });

  test("a deferred foreign key is P2003 at the commit", async ({ prisma, other }) => {
    const run = prisma.$transaction(async (tx) => {
      await tx.$executeRaw`PRAGMA defer_foreign_keys = ON`;
      await tx.$executeRaw`INSERT INTO Profile(bio, userId) VALUES('x', 12345)`;
    });
    await assert.rejects(run, { code: "P2003" });
    assert.equal(await other.value("SELECT count(*) FROM Profile"), 0);
  });

  test("NULL where there must be a value is P2011, also in a raw query as P2010 that names it", async ({ prisma }) => {
    const raw = await failure(prisma.$executeRaw`INSERT INTO User(email) VALUES(NULL)`);
    assert.equal(raw.code, "P2010");
    assert.match(raw.message, /NOT NULL constraint failed: User\.email/);
    assert.match(raw.message, /SQLITE_CONSTRAINT_NOTNULL/);
  });

  test("a record that is not there is P2025", async ({ prisma }) => {
    const where = { email: "nobody" };
    for (
      const query of [
        prisma.user.update({ where, data: { name: "x" } }),
        prisma.user.delete({ where }),
        prisma.user.findUniqueOrThrow({ where }),
      ]
    ) assert.equal((await failure(query)).code, "P2025");
  });

  test("a query that does not compile says where, and transaction control what to do", async ({ prisma }) => {
    const syntax = await failure(prisma.$queryRawUnsafe("SELEC 1"));
    assert.match(syntax.message, /near "SELEC": syntax error/);
    const begin = await failure(prisma.$executeRawUnsafe("BEGIN"));
    assert.match(begin.message, /Cannot send BEGIN/);
    const inside = prisma.$transaction((tx) => tx.$executeRawUnsafe("COMMIT"));
    assert.match((await failure(inside)).message, /COMMIT/);
    const two = await failure(prisma.$executeRawUnsafe("DELETE FROM User; DELETE FROM Post"));
    assert.match(two.message, /statement/);
  });

  test("values that cannot be stored are refused, and nothing is sent", async ({ prisma, network }) => {
    const before = network.requests.length;
    await assert.rejects(prisma.every.create({ data: { float: NaN } }));
    await assert.rejects(prisma.every.create({ data: { float: Infinity } }));
    await assert.rejects(prisma.every.create({ data: { big: 2n ** 63n } }));
    assert.equal(network.requests.length, before);
  });

  test("a client that is closed is P1017, and says so", async ({ target }) => {
    const client = connect(target);
    const own = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    await own.user.count();
    await client.close();
    const error = await failure(own.user.count());
    assert.equal(error.code, "P1017");
    assert.match(error.message, /The client is closed/);
    const nested = own.user.create({ data: { email: "a", posts: { create: { title: "x" } } } });
    assert.equal((await failure(nested)).code, "P1017");
    await assert.rejects(own.$transaction((tx) => tx.user.count()), { code: "P1017" });
    await own.$disconnect();
  });

  test("a deadline that passed is P1008", async ({ target, network }) => {
    const never: typeof fetch = (_, init) =>
      new Promise((_, reject) => {
        const signal = (init as RequestInit).signal!;
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    const client = connect(target.url, { fetch: never, timeout: 50 });
    const own = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    assert.equal((await failure(own.user.count())).code, "P1008");
    assert.equal(network.requests.length, 0);
    await own.$disconnect();
    await client.close();
  });
});

describe("errors of Prisma on a database of their own", () => {
  it("a table that is not there is P2021, a column P2022", async () => {
    const client = connect(embedded());
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    const table = await failure(prisma.user.findMany());
    assert.equal(table.code, "P2021");
    assert.match(table.message, /The table `main\.User` does not exist/);
    await client.script(SQL.replace('"name" TEXT,', ""));
    const read = await failure(prisma.user.findMany());
    assert.deepEqual([read.code, read.message.includes("`main.User.name`")], ["P2022", true]);
    const write = await failure(prisma.user.create({ data: { email: "a", name: "x" } }));
    assert.equal(write.code, "P2022");
    assert.match(write.message, /column `(?:\w+\.)*name`/);
    await prisma.$disconnect();
    await client.close();
  });

  it("NULL where there must be a value is P2011 with its field", async () => {
    const client = connect(embedded());
    await client.script(SQL.replace('"name" TEXT,', '"name" TEXT NOT NULL,'));
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    const error = await failure(prisma.user.create({ data: { email: "a" } }));
    assert.equal(error.code, "P2011");
    assert.match(error.message, /`name`/);
    await prisma.$disconnect();
    await client.close();
  });

  it("CHECK and RAISE are P2039 with SQLite's code and words", async () => {
    const client = connect(embedded());
    await client.script(
      SQL.replace('"email" TEXT NOT NULL,', "email TEXT NOT NULL CHECK(email <> ''),"),
    );
    await client.script(
      "CREATE TRIGGER no BEFORE INSERT ON Tag BEGIN SELECT RAISE(ABORT, 'no tags'); END",
    );
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    const check = await failure(prisma.user.create({ data: { email: "" } }));
    assert.equal(check.code, "P2039");
    assert.match(check.message, /SQLITE_CONSTRAINT_CHECK/);
    const raised = await failure(prisma.tag.create({ data: { name: "x" } }));
    assert.match(raised.message, /no tags/);
    await prisma.$disconnect();
    await client.close();
  });

  it("a node that nobody answers at is P1001 with its address", async () => {
    const refused: typeof fetch = () => Promise.reject(new TypeError("fetch failed"));
    const client = connect("http://db.example:4001", { fetch: refused, retries: 0 });
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    const error = await failure(prisma.user.findMany());
    assert.equal(error.code, "P1001");
    assert.match(error.message, /db\.example:4001/);
    await assert.rejects(prisma.$transaction((tx) => tx.user.findMany()), { code: "P1001" });
    await prisma.$disconnect();
    await client.close();
  });

  it(
    "a wrong password is P1000, and is in no message",
    { skip: skipWithoutRqlited() },
    async () => {
      const server = await startRqlited({
        auth: [{ username: "ada", password: "right", perms: ["all"] }],
      });
      const options = { url: server.url, username: "ada", password: PASSWORD };
      const prisma = new PrismaClient({ adapter: new PrismaRqlite(options) });
      try {
        const error = await failure(prisma.user.findMany());
        assert.equal(error.code, "P1000");
        assert.match(error.message, /user name or the password is wrong/);
        assert.doesNotMatch(JSON.stringify(error) + String(error), new RegExp(PASSWORD));
      } finally {
        await prisma.$disconnect();
        await server.stop();
      }
    },
  );
});
