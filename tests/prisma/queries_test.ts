// What people write with Prisma: models, relations, filters, aggregates, raw SQL, over a client that was really generated.
import assert from "node:assert/strict";
import { PrismaRqlite } from "../../packages/prisma/mod.ts";
import { Prisma, PrismaClient } from "./generated/client.ts";
import { suites } from "./world.ts";

suites("queries of Prisma", (test) => {
  test("create() writes nested records, and include reads them", async ({ prisma }) => {
    const user = await prisma.user.create({
      data: {
        email: "ada@example.org",
        role: "WRITER",
        profile: { create: { bio: "Notes" } },
        posts: {
          create: [
            { title: "One", tags: { create: [{ name: "a" }, { name: "b" }] } },
            { title: "Two", published: true, tags: { connectOrCreate: [connectOrCreate("a")] } },
          ],
        },
      },
      include: { profile: true, posts: { include: { tags: true }, orderBy: { title: "asc" } } },
    });
    assert.equal(user.role, "WRITER");
    assert.equal(user.profile?.bio, "Notes");
    assert.ok(user.createdAt instanceof Date);
    const posts = user.posts.map(({ title, published, tags }) => [title, published, names(tags)]);
    assert.deepEqual(posts, [["One", false, "ab"], ["Two", true, "a"]]);
  });

  test("createMany(), createManyAndReturn() and updateMany() tell how many and which", async ({ prisma }) => {
    const emails = ["a", "b", "c"].map((email) => ({ email }));
    assert.deepEqual(await prisma.user.createMany({ data: emails }), { count: 3 });
    const more = await prisma.user.createManyAndReturn({ data: [{ email: "d" }, { email: "e" }] });
    assert.deepEqual(more.map(({ email }) => email), ["d", "e"]);
    const where = { email: { in: ["a", "b", "nobody"] } };
    assert.deepEqual(await prisma.user.updateMany({ where, data: { name: "x" } }), { count: 2 });
    const changed = await prisma.user.updateManyAndReturn({ where, data: { name: "y" } });
    assert.deepEqual(changed.map(({ name }) => name), ["y", "y"]);
    assert.deepEqual(await prisma.user.deleteMany({ where: { name: null } }), { count: 3 });
    assert.equal(await prisma.user.count(), 2);
  });

  test("createMany() of more values than a statement takes keeps all rows or none", async ({ prisma, client }) => {
    const at = new Date();
    const row = {
      int: 1,
      big: 1,
      float: 1,
      decimal: 1,
      flag: true,
      at,
      stamp: at,
      text: "",
      json: 1,
    };
    const other = { ...row, bytes: new Uint8Array(1), role: "READER" as const };
    const data = Array.from({ length: 2800 }, (_, i) => ({ ...other, id: `${i}` }));
    const twice = [...data, { ...other, id: "7" }];
    await assert.rejects(prisma.every.createMany({ data: twice }), { code: "P2002" });
    assert.equal(await client.value("SELECT count(*) FROM Every"), 0);
  });

  test("upsert() inserts, then updates", async ({ prisma }) => {
    const upsert = (name: string) =>
      prisma.user.upsert({
        where: { email: "a" },
        create: { email: "a", name },
        update: { name },
      });
    const first = await upsert("first");
    const second = await upsert("second");
    assert.deepEqual([first.name, second.name, second.id], ["first", "second", first.id]);
  });

  test("filters, relations, order and pages find what they say", async ({ prisma }) => {
    for (const [i, title] of ["alpha", "beta", "gamma", "delta"].entries()) {
      const author = {
        connectOrCreate: { where: { email: `${i % 2}` }, create: { email: `${i % 2}` } },
      };
      await prisma.post.create({ data: { title, views: i * 10, author } });
    }
    const titles = async (args: Prisma.PostFindManyArgs): Promise<string[]> =>
      (await prisma.post.findMany({ orderBy: { title: "asc" }, ...args })).map(({ title }) =>
        title
      );
    assert.deepEqual(await titles({ where: { title: { contains: "ta" } } }), ["beta", "delta"]);
    assert.deepEqual(await titles({ where: { author: { email: "0" } } }), ["alpha", "gamma"]);
    assert.deepEqual(await titles({ where: { views: { gte: 10, lt: 30 } } }), ["beta", "gamma"]);
    assert.deepEqual(
      await titles({ where: { OR: [{ views: 0 }, { NOT: { views: { lt: 30 } } }] } }),
      [
        "alpha",
        "delta",
      ],
    );
    assert.deepEqual(await titles({ skip: 1, take: 2 }), ["beta", "delta"]);
    const users = await prisma.user.findMany({
      where: { posts: { some: { views: { gt: 20 } } } },
      select: { email: true, _count: { select: { posts: true } } },
    });
    assert.deepEqual(users, [{ email: "1", _count: { posts: 2 } }]);
    const groups = await prisma.post.groupBy({
      by: ["authorId"],
      _sum: { views: true },
      _avg: { views: true },
      orderBy: { _sum: { views: "desc" } },
    });
    assert.deepEqual(groups.map(({ _sum, _avg }) => [_sum.views, _avg.views]), [[40, 20], [
      20,
      10,
    ]]);
  });

  test("a nested write of an update changes, connects and removes", async ({ prisma }) => {
    const { id } = await prisma.user.create({
      data: { email: "a", posts: { create: [{ title: "kept" }, { title: "gone" }] } },
    });
    const { posts } = await prisma.user.update({
      where: { id },
      data: {
        posts: {
          deleteMany: { title: "gone" },
          updateMany: { where: { title: "kept" }, data: { views: { increment: 5 } } },
          create: { title: "new", tags: { create: { name: "t" } } },
        },
      },
      include: { posts: { orderBy: { id: "asc" } } },
    });
    assert.deepEqual(posts.map(({ title, views }) => [title, views]), [["kept", 5], ["new", 0]]);
    await prisma.post.update({
      where: { authorId_title: { authorId: id, title: "new" } },
      data: { tags: { set: [] } },
    });
    assert.equal(await prisma.post.count({ where: { tags: { some: {} } } }), 0);
  });

  test("$queryRaw and $executeRaw bind values, and give types by what the columns hold", async ({ prisma }) => {
    await prisma.user.create({ data: { email: "a", name: "Ada" } });
    const changed = await prisma
      .$executeRaw`UPDATE User SET name = ${"O'Neil"} WHERE email = ${"a"}`;
    assert.equal(changed, 1);
    const emails = Prisma.join(["a", "b"]);
    const rows = await prisma.$queryRaw`
      SELECT name, ${1.5} AS real, ${
      2n ** 60n
    } AS big, ${null} AS none, upper(email) AS email, count(*) AS n
      FROM User WHERE email IN (${emails})`;
    assert.deepEqual(rows, [
      { name: "O'Neil", real: 1.5, big: 2n ** 60n, none: null, email: "A", n: 1 },
    ]);
    const absent = await prisma.$queryRawUnsafe("SELECT * FROM User WHERE email = ?", "nobody");
    assert.deepEqual(absent, []);
  });

  test("comments that Prisma puts behind statements change nothing", async ({ client }) => {
    const adapter = new PrismaRqlite({ client });
    const commented = new PrismaClient({ adapter, comments: [() => ({ from: "it's a test" })] });
    const posts = { create: { title: "One" } };
    const user = await commented.user.create({
      data: { email: "a", posts },
      include: { posts: true },
    });
    assert.equal(user.posts[0]?.title, "One");
    assert.equal(await commented.user.count(), 1);
    await commented.$disconnect();
  });

  test("$queryRaw keeps rows of one column that hold different things", async ({ prisma }) => {
    const mixed = await prisma.$queryRaw`
      SELECT 1 AS v, 1 AS n, 1 AS big UNION ALL SELECT 'two', 2.5, 9007199254740993 ORDER BY n`;
    assert.deepEqual(mixed, [
      { v: 1, n: 1, big: 1n },
      { v: "two", n: 2.5, big: 9007199254740993n },
    ]);
  });
});

function connectOrCreate(name: string): { where: { name: string }; create: { name: string } } {
  return { where: { name }, create: { name } };
}

function names(tags: readonly { name: string }[]): string {
  return tags.map(({ name }) => name).sort().join("");
}
