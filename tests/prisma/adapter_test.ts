// The adapter by itself: what it takes, what it closes, and which Prisma it is for.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { ArgType, SqlQuery } from "@prisma/driver-adapter-utils";
import { type Client, connect, NotSupportedError, type TransactionOptions } from "../../mod.ts";
import { PrismaRqlite, withRetry } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { PrismaClient } from "./generated/client.ts";
import { SQL } from "./world.ts";

/** Where the part of a client that speaks to adapters is installed. */
function utilsOf(version: string): string {
  const store =
    `../integration/versions/node_modules/.deno/@prisma+driver-adapter-utils@${version}`;
  const file = "node_modules/@prisma/driver-adapter-utils/dist/index.js";
  return fileURLToPath(new URL(`${store}/${file}`, import.meta.url));
}

function query(sql: string, ...args: unknown[]): SqlQuery {
  const unknown: ArgType = { scalarType: "unknown", arity: "scalar" };
  return { sql, args, argTypes: args.map(() => unknown) };
}

describe("PrismaRqlite", () => {
  it("refuses what it cannot use when it is made", () => {
    const client = connect(embedded());
    const wrong: readonly (readonly [target: unknown, options?: unknown])[] = [
      [undefined],
      ["localhost"],
      [{ url: "ftp://x" }],
      [{ client: {} }],
      [{ client, url: "http://localhost:4001" }],
      [{ levl: "weak" }],
      ["http://localhost:4001", { timestampFormat: "rfc" }],
      ["http://localhost:4001", { shadowDatabaseUrl: "http://localhost:4002" }],
      ["http://localhost:4001", { shadowDatabase: 7 }],
    ];
    for (const [target, options] of wrong) {
      assert.throws(
        () => new PrismaRqlite(target as never, options as never),
        /^(?:TypeError|RangeError): Cannot /,
        JSON.stringify(target),
      );
    }
  });

  it("takes everything that connect() takes", async () => {
    for (const target of [embedded(), { ...embedded(), url: "http://embedded:4001?level=weak" }]) {
      const adapter = await new PrismaRqlite(target).connect();
      const { rows } = await adapter.queryRaw(query("SELECT ? AS a", 1));
      assert.deepEqual(rows, [[1]]);
      await adapter.dispose();
    }
  });

  it("$disconnect() leaves the caller's client open, and Prisma connects again", async () => {
    const client = connect(embedded());
    await client.script(SQL);
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    assert.equal(await prisma.user.count(), 0);
    await prisma.$disconnect();
    assert.equal(client.closed, false);
    assert.equal(await prisma.user.count(), 0);
    await prisma.$disconnect();
    await client.close();
  });

  it("dispose() closes a client that it made, and connect() makes another one", async () => {
    const engine = embedded();
    const factory = new PrismaRqlite({ url: "http://embedded:4001", fetch: engine.fetch });
    for (let i = 0; i < 2; i++) {
      const adapter = await factory.connect();
      await adapter.executeScript(`CREATE TABLE t${i}(a); INSERT INTO t${i} VALUES(1);`);
      await adapter.dispose();
      await assert.rejects(adapter.queryRaw(query("SELECT 1")), { code: "P1017" });
    }
    engine.close();
  });

  it("executeScript() keeps all of a script or nothing", async () => {
    const adapter = await new PrismaRqlite(embedded()).connect();
    await assert.rejects(adapter.executeScript("CREATE TABLE t(a); INSERT INTO nope VALUES(1);"));
    await assert.rejects(adapter.queryRaw(query("SELECT * FROM t")), {
      name: "DriverAdapterError",
    });
    await adapter.dispose();
  });

  it("connectToShadowDb() is the database that `shadowDatabase` names, and no other", async () => {
    const factory = new PrismaRqlite(embedded(), { shadowDatabase: embedded() });
    const shadow = await factory.connectToShadowDb();
    await shadow.executeScript("CREATE TABLE t(a)");
    const main = await factory.connect();
    const { rows } = await main.queryRaw(query("SELECT count(*) FROM sqlite_schema"));
    assert.deepEqual(rows, [[0]]);
    await Promise.all([shadow.dispose(), main.dispose()]);
    const without = new PrismaRqlite("http://localhost:4001");
    await assert.rejects(without.connectToShadowDb(), /give `shadowDatabase`/);
  });

  it("a transaction refuses queries when it is over, and rollback() is nothing then", async () => {
    const adapter = await new PrismaRqlite(embedded()).connect();
    await adapter.executeScript("CREATE TABLE t(a)");
    const tx = await adapter.startTransaction();
    assert.equal(await tx.executeRaw(query("INSERT INTO t VALUES(?), (?)", 1, 2)), 2);
    await tx.commit();
    await tx.rollback();
    await assert.rejects(tx.queryRaw(query("SELECT 1")), { code: "P1018" });
    await assert.rejects(tx.commit(), { code: "P1018" });
    await assert.rejects(tx.createSavepoint!("a"), { code: "P1018" });
    await adapter.dispose();
  });

  it("a client whose default is lazy still tells Prisma how many rows changed", async () => {
    const client = connect({ ...embedded(), transaction: { mode: "lazy" } });
    await client.script(SQL);
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    await prisma.user.createMany({ data: [{ email: "a" }, { email: "b" }] });
    const changed = await prisma.$transaction((tx) => tx.user.updateMany({ data: { name: "x" } }));
    assert.equal(changed.count, 2);
    await prisma.$disconnect();
    await client.close();
  });

  it("leaves it to Prisma how long a transaction may take: the client's timeout is for each statement", async () => {
    const client = connect(embedded());
    let begun: TransactionOptions | undefined;
    const watched: Pick<Client, "begin"> = {
      begin(options) {
        begun = options;
        return client.begin(options);
      },
    };
    const adapter = await new PrismaRqlite({ client: watched as Client }).connect();
    const tx = await adapter.startTransaction("SERIALIZABLE");
    await tx.rollback();
    assert.deepEqual(begun, { driver: true, mode: "eager", timeoutPer: "statement" });
    await client.close();
  });

  it("connect({ transaction }) holds for Prisma: a transaction that is read only", async () => {
    const client = connect({ ...embedded(), transaction: { readOnly: true } });
    await client.script(SQL);
    const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
    assert.equal(await prisma.$transaction((tx) => tx.user.count()), 0);
    const writing = prisma.$transaction((tx) => tx.user.create({ data: { email: "a" } }));
    await assert.rejects(writing, /read/);
    await prisma.$disconnect();
    await client.close();
  });

  for (const version of ["5.22.0", "6.5.0"]) {
    const path = utilsOf(version);
    const skip = existsSync(path) || process.env.CI ? false : "deno task setup";
    it(`says which Prisma it is for to the client of ${version}`, { skip }, () => {
      // What that client does with an adapter first.
      const { bindAdapter } = createRequire(path)(path);
      assert.throws(() => bindAdapter(new PrismaRqlite(embedded())), /is for Prisma 7/);
    });
  }

  it("says which Prisma it is for to one that tells of arguments in other words", async () => {
    const adapter = await new PrismaRqlite(embedded()).connect();
    const before = { sql: "SELECT ?", args: [1], argTypes: ["Int32"] } as unknown as SqlQuery;
    await assert.rejects(adapter.queryRaw(before), /is for Prisma 7/);
    await assert.rejects(adapter.executeRaw(before), NotSupportedError);
    await adapter.dispose();
  });
});

describe("withRetry()", () => {
  it("refuses what is no function, and passes on what is no conflict", async () => {
    await assert.rejects(withRetry(Promise.resolve() as never), TypeError);
    const reason = new Error("no");
    let runs = 0;
    await assert.rejects(
      withRetry(() => {
        runs++;
        return Promise.reject(reason);
      }),
      (error) => error === reason,
    );
    assert.equal(runs, 1);
  });
});
