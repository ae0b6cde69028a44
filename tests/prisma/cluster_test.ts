// Prisma over three nodes: ten programs at once, each at a node of its own, and replicas that stay equal.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { withRetry } from "../../packages/prisma/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import type { PrismaClient } from "./generated/client.ts";
import { prismaOf, SQL } from "./world.ts";

const CALLERS = 10;

describe("Prisma on three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let clients: Client[];
  let programs: PrismaClient[];

  before(async () => {
    cluster = await startCluster(3, { args: ["-fk"] });
    clients = cluster.urls.map((url) => connect(url));
    await clients[0]!.script(SQL);
    programs = clients.map((client) => prismaOf(client));
  });

  after(async () => {
    await Promise.all((programs ?? []).map((prisma) => prisma.$disconnect()));
    await Promise.all((clients ?? []).map((client) => client.close()));
    await cluster?.stop();
  });

  const atOnce = (body: (prisma: PrismaClient, n: number) => Promise<unknown>) =>
    Promise.all(
      Array.from(
        { length: CALLERS },
        (_, n) => withRetry(() => body(programs[n % 3]!, n), { retries: 100 }),
      ),
    );

  it("ten transactions at once on one row lose no update", async () => {
    await programs[0]!.account.create({ data: { id: 1, owner: "Ada", balance: 0 } });
    await atOnce((prisma) =>
      prisma.$transaction(async (tx) => {
        const { balance } = await tx.account.findUniqueOrThrow({ where: { id: 1 } });
        await tx.account.update({ where: { id: 1 }, data: { balance: balance + 1 } });
      })
    );
    assert.equal((await programs[1]!.account.findFirst())?.balance, CALLERS);
    await equalReplicas(cluster);
  });

  it("nested writes, upserts and defaults leave equal replicas", async () => {
    await atOnce((prisma, n) =>
      prisma.user.upsert({
        where: { email: `${n % 2}` },
        update: { posts: { create: { title: `${n}`, tags: { connectOrCreate: tag(n) } } } },
        create: { email: `${n % 2}`, posts: { create: { title: `${n}` } } },
      })
    );
    await atOnce((prisma, n) => prisma.every.create({ data: { int: n, at: new Date(n) } }));
    await programs[2]!.$executeRaw`INSERT INTO User(email) VALUES('raw')`;
    const users = await programs[0]!.user.findMany({ include: { posts: true } });
    assert.equal(users.length, 3);
    assert.equal(users.flatMap(({ posts }) => posts).length, CALLERS);
    await equalReplicas(cluster);
  });
});

function tag(n: number): { where: { name: string }; create: { name: string } } {
  return { where: { name: `${n % 3}` }, create: { name: `${n % 3}` } };
}
