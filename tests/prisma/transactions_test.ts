// Transactions through Prisma: interactive ones, lists, nested writes and nested transactions; conflicts, timeouts, faults.
import assert from "node:assert/strict";
import { connect, OutcomeUnknownError } from "../../mod.ts";
import { withRetry } from "../../packages/prisma/mod.ts";
import type { PrismaClient } from "./generated/client.ts";
import { prismaOf, type PrismaWorld, suites } from "./world.ts";

type Tx = Parameters<Parameters<PrismaClient["$transaction"]>[0]>[0];

const ID = 1n;

async function open(prisma: PrismaClient, balance = 0): Promise<void> {
  await prisma.account.create({ data: { id: ID, owner: "Ada", balance } });
}

async function balance({ other }: PrismaWorld, id = ID): Promise<unknown> {
  return await other.value("SELECT balance FROM Account WHERE id = ?", [id]);
}

/** Reads, and writes what it read and one more. */
async function add(tx: Tx, id = ID): Promise<void> {
  const account = await tx.account.findUniqueOrThrow({ where: { id } });
  await tx.account.update({ where: { id }, data: { balance: account.balance + 1 } });
}

suites("transactions of Prisma", (test) => {
  test("$transaction(fn) reads its own writes, and nobody else sees them before the commit", async (world) => {
    const { prisma, other } = world;
    const made = await prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "a", posts: { create: { title: "One" } } } });
      assert.equal(await other.value("SELECT count(*) FROM User"), 0);
      return await tx.user.findMany({ include: { posts: true } });
    });
    assert.deepEqual(made.map(({ email, posts }) => [email, posts.length]), [["a", 1]]);
    assert.equal(await other.value("SELECT count(*) FROM Post"), 1);
  });

  test("$transaction(fn) keeps nothing after a throw, and throws that", async ({ prisma, other }) => {
    const reason = new Error("no");
    const failing = prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "a" } });
      throw reason;
    });
    await assert.rejects(failing, (error) => error === reason);
    assert.equal(await other.value("SELECT count(*) FROM User"), 0);
  });

  test("$transaction(fn) goes on behind a statement that failed and was caught", async ({ prisma, other }) => {
    await prisma.user.create({ data: { email: "a" } });
    await prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "b" } });
      await assert.rejects(tx.user.create({ data: { email: "a" } }), { code: "P2002" });
      await tx.user.create({ data: { email: "c" } });
    });
    assert.equal(await other.value("SELECT count(*) FROM User"), 3);
  });

  test("$transaction([…]) is one unit: all of it or none", async ({ prisma, other }) => {
    const create = (email: string) => prisma.user.create({ data: { email } });
    const [ada, count] = await prisma.$transaction([create("a"), prisma.user.count()]);
    assert.deepEqual([ada.email, count], ["a", 1]);
    await assert.rejects(prisma.$transaction([create("b"), create("a")]), { code: "P2002" });
    assert.equal(await other.value("SELECT count(*) FROM User"), 1);
  });

  test("a nested write that fails leaves nothing of the record around it", async ({ prisma, other }) => {
    const posts = { create: [{ title: "same" }, { title: "same" }] };
    await assert.rejects(prisma.user.create({ data: { email: "a", posts } }), { code: "P2002" });
    assert.equal(await other.value("SELECT count(*) FROM User"), 0);
    const update = prisma.user.update({ where: { email: "nobody" }, data: { posts } });
    await assert.rejects(update, { code: "P2025" });
    assert.equal(await other.value("SELECT count(*) FROM Post"), 0);
  });

  test("a nested $transaction that fails and is caught is undone alone", async ({ prisma, other }) => {
    await prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "outer" } });
      const inner = tx.$transaction(async (nested) => {
        await nested.user.create({ data: { email: "undone" } });
        await nested.user.create({ data: { email: "outer" } });
      });
      await assert.rejects(inner, { code: "P2002" });
      await tx.$transaction((nested) => nested.user.create({ data: { email: "kept" } }));
      assert.equal(await tx.user.count(), 2);
    });
    const { rows } = await other.query("SELECT email FROM User ORDER BY id", [], { rows: "array" });
    assert.deepEqual(rows.flat(), ["outer", "kept"]);
  });

  test("ten transactions at once on one row all commit, as they take turns", async (world) => {
    const { prisma } = world;
    await open(prisma);
    await Promise.all(Array.from({ length: 10 }, () => prisma.$transaction((tx) => add(tx))));
    assert.equal(await balance(world), 10);
  });

  test("ten transactions at once on ten rows all commit", async (world) => {
    const { prisma } = world;
    const ids = Array.from({ length: 10 }, (_, i) => BigInt(i));
    await prisma.account.createMany({ data: ids.map((id) => ({ id, owner: "x", balance: 0 })) });
    await Promise.all(ids.map((id) => prisma.$transaction((tx) => add(tx, id))));
    for (const id of ids) assert.equal(await balance(world, id), 1);
  });

  test("ten nested writes at once all commit", async ({ prisma, other }) => {
    const create = (_: unknown, i: number) =>
      prisma.user.create({ data: { email: `${i}`, posts: { create: { title: "One" } } } });
    await Promise.all(Array.from({ length: 10 }, create));
    assert.equal(await other.value("SELECT count(*) FROM Post"), 10);
  });

  test("without turns each of ten on one row commits or ends in P2034, and none is lost", async (world) => {
    const { prisma, target } = world;
    await open(prisma);
    const client = connect({ ...target, transaction: { turns: false } });
    const own = prismaOf(client);
    const ends = await Promise.allSettled(
      Array.from({ length: 10 }, () => own.$transaction((tx) => add(tx))),
    );
    const codes = ends.map((end) => end.status === "fulfilled" ? "committed" : end.reason.code);
    assert.ok(codes.every((code) => code === "committed" || code === "P2034"), String(codes));
    assert.ok(codes.includes("P2034"), String(codes));
    assert.equal(await balance(world), codes.filter((code) => code === "committed").length);
    await own.$disconnect();
    await client.close();
  });

  test("withRetry() runs a transaction that met a conflict again", async (world) => {
    const { prisma, target } = world;
    await open(prisma);
    const client = connect({ ...target, transaction: { turns: false } });
    const own = prismaOf(client);
    const once = () => withRetry(() => own.$transaction((tx) => add(tx)), { retries: 100 });
    await Promise.all(Array.from({ length: 5 }, once));
    assert.equal(await balance(world), 5);
    await own.$disconnect();
    await client.close();
  });

  test("a conflict is P2034 where it shows: at the commit, in a query, in a raw query", async (world) => {
    const { prisma, other } = world;
    await open(prisma);
    const disturb = () => other.execute("UPDATE Account SET balance = balance + 1");
    const bodies: ((tx: Tx) => Promise<unknown>)[] = [
      () => Promise.resolve(),
      (tx) => tx.account.findMany(),
      (tx) => tx.account.updateMany({ data: { owner: "x" } }),
      (tx) => tx.$queryRaw`SELECT * FROM Account`,
      (tx) => tx.$executeRaw`UPDATE Account SET owner = 'x'`,
    ];
    for (const body of bodies) {
      const run = prisma.$transaction(async (tx) => {
        await tx.account.findMany();
        await tx.user.create({ data: { email: "a" } });
        await disturb();
        await body(tx);
      });
      await assert.rejects(run, (error: Error & { code: string; meta: Meta }) => {
        assert.equal(error.code, "P2034");
        assert.equal(error.name, "PrismaClientKnownRequestError");
        assert.equal(error.meta.driverAdapterError.error.name, "TransactionConflictError");
        return true;
      });
    }
    assert.equal(await prisma.user.count(), 0);
  });

  test("two clients that write one row at once lose no update", async (world) => {
    const { prisma, target } = world;
    await open(prisma);
    const client = connect(target);
    const second = prismaOf(client);
    const run = (one: PrismaClient) =>
      withRetry(() => one.$transaction((tx) => add(tx)), { retries: 100 });
    await Promise.all([prisma, second, prisma, second].map(run));
    assert.equal(await balance(world), 4);
    await second.$disconnect();
    await client.close();
  });

  test("every isolation level of Prisma is accepted, and is serializable", async ({ prisma }) => {
    const run = (isolationLevel: string) =>
      prisma.$transaction((tx) => tx.user.count(), { isolationLevel: isolationLevel as never });
    for (const level of ["Serializable", "RepeatableRead", "ReadCommitted", "ReadUncommitted"]) {
      assert.equal(await run(level), 0);
    }
    await assert.rejects(run("Chaos"), { code: "P2023" });
  });

  test("timeout ends a transaction that takes too long with P2028, and keeps nothing", async ({ prisma, other }) => {
    let late: unknown;
    const run = prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "a" } });
      await until(async () => {
        late = await tx.user.count().then(() => undefined, (error) => error);
        return late !== undefined;
      });
      throw late;
    }, { timeout: 200 });
    await assert.rejects(run, { code: "P2028" });
    assert.equal(await other.value("SELECT count(*) FROM User"), 0);
  });

  test("queries of one transaction may run at once", async ({ prisma, other }) => {
    await prisma.$transaction((tx) =>
      Promise.all(
        ["a", "b", "c"].map((email) =>
          tx.user.create({ data: { email, posts: { create: { title: "One" } } } })
        ),
      )
    );
    assert.equal(await other.value("SELECT count(*) FROM Post"), 3);
  });

  test("maxWait ends the wait for a turn with P2028, and the others go on", async (world) => {
    const { prisma } = world;
    await open(prisma);
    const gate = Promise.withResolvers<void>();
    const first = prisma.$transaction(async (tx) => {
      await add(tx);
      await gate.promise;
    });
    await assert.rejects(prisma.$transaction((tx) => add(tx), { maxWait: 20 }), { code: "P2028" });
    gate.resolve();
    await first;
    await prisma.$transaction((tx) => add(tx));
    assert.equal(await balance(world), 2);
  });

  test("a transaction that is over refuses more with P2028", async ({ prisma, other }) => {
    let kept: Tx | undefined;
    await prisma.$transaction(async (tx) => {
      kept = tx;
      await tx.user.create({ data: { email: "a" } });
    });
    await assert.rejects(kept!.user.count(), { code: "P2028" });
    await assert.rejects(kept!.user.create({ data: { email: "b" } }), { code: "P2028" });
    await assert.rejects(kept!.$executeRaw`DELETE FROM User`, { code: "P2028" });
    assert.equal(await other.value("SELECT count(*) FROM User"), 1);
  });

  test("a query that nobody awaits is part of its transaction, or fails", async ({ prisma, other }) => {
    let forgotten: Promise<boolean> | undefined;
    await prisma.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "a" } });
      const posts = { create: { title: "One" } };
      forgotten = tx.user.create({ data: { email: "late", posts } }).then(() => true, () => false);
    }).catch(() => {});
    const kept = await forgotten;
    const late = await other.value("SELECT count(*) FROM User WHERE email = 'late'");
    const posts = await other.value("SELECT count(*) FROM Post");
    assert.ok(kept ? late === 1 && posts === 1 : posts === 0);
  });

  test("a commit whose answer is lost is settled: it counts once", async (world) => {
    const { prisma, network } = world;
    await open(prisma);
    let lost = 0;
    network.plan = () => lost++ === 0 ? "lose answer" : "pass";
    await prisma.$transaction((tx) => add(tx));
    assert.equal(await balance(world), 1);
  });

  test("a commit of which nobody can tell throws OutcomeUnknownError with its id", async ({ prisma, network, other }) => {
    await open(prisma);
    network.plan = () => "delay";
    const run = prisma.$transaction((tx) => add(tx));
    const error = await run.then(() => undefined, (error) => error);
    assert.ok(error instanceof OutcomeUnknownError, String(error));
    assert.equal(await other.outcome(error.id!), "not committed");
    const nested = prisma.user.create({ data: { email: "a", posts: { create: { title: "x" } } } });
    await assert.rejects(nested, { code: "ERR_OUTCOME_UNKNOWN" });
  });

  test("$disconnect() rolls back what is open", async ({ target, other }) => {
    const client = connect(target);
    const own = prismaOf(client);
    const run = own.$transaction(async (tx) => {
      await tx.user.create({ data: { email: "a" } });
      await own.$disconnect();
    });
    await assert.rejects(run, { code: "P2028" });
    assert.equal(await other.value("SELECT count(*) FROM User"), 0);
    await client.close();
  });
});

interface Meta {
  readonly driverAdapterError: { readonly error: Error };
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!await done()) await new Promise((resolve) => setTimeout(resolve, 10));
}
