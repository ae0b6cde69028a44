/**
 * Prisma on rqlite: relations, nested writes, transactions, and migrations that two processes deploy at once.
 *
 *     deno run -A examples/prisma/library.ts                               on a database in this process
 *     deno run -A examples/prisma/library.ts --url http://localhost:4001   on an rqlite server (with -fk)
 *
 * Also with bun and node; after `deno task setup`, which generates the client as `prisma generate` does.
 */

import { parseArgs } from "node:util";
// In your project: "@tangled/rqlite", "@tangled/rqlite/embedded" and "@tangled/rqlite-prisma".
import { connect } from "../../mod.ts";
import { PrismaRqlite, withRetry } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { detail, done, heading, table } from "../terminal.ts";
import { deploy } from "./deploy.ts";
import { Prisma, PrismaClient } from "./generated/client.ts";

const { values: { url } } = parseArgs({ options: { url: { type: "string" } } });
const engine = embedded(":memory:", { foreignKeys: true });
const open = () =>
  url === undefined ? connect("http://embedded", { fetch: engine.fetch }) : connect(url);
const [client, another] = [open(), open()];
const prisma = new PrismaClient({ adapter: new PrismaRqlite({ client }) });
const elsewhere = new PrismaClient({ adapter: new PrismaRqlite({ client: another }) });

heading("Migrations");
const [first, second] = await Promise.all([deploy(client), deploy(another)]);
const counts = [first.length, second.length].sort();
done(
  `Of two processes one applied ${counts[1]} migrations, and the other waited and applied ${
    counts[0]
  }`,
);

heading("Nested writes and relations");
const classic = { connectOrCreate: { where: { name: "classic" }, create: { name: "classic" } } };
const books = [
  { name: "Ursula", title: "A Wizard of Earthsea", stock: 5 },
  { name: "Stanisław", title: "Solaris", stock: 2 },
];
for (const { name, title, stock } of books) {
  const { id } = await prisma.author.create({
    data: { name, books: { create: { title, stock, tags: classic } } },
  });
  detail(`${name} is author ${id}`);
}
const found = await prisma.book.findMany({
  where: { tags: { some: { name: "classic" } } },
  include: { author: true, tags: true },
  orderBy: { title: "asc" },
});
done(`${found.length} classics`);
table(found.map(({ title, stock, author }) => ({ title, stock, author: author.name })));

heading("What a constraint refuses");
try {
  await prisma.author.create({
    data: { name: "Ursula", books: { create: { title: "The Dispossessed" } } },
  });
} catch (error) {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) throw error;
  const { constraint } = (error.meta?.driverAdapterError as Violation).cause;
  done(
    `${error.code} on ${constraint.fields.join(", ")}; ${await prisma.book
      .count()} books as before`,
  );
}

interface Violation {
  readonly cause: { readonly constraint: { readonly fields: readonly string[] } };
}

heading("Transactions");
const take = (db: PrismaClient, n: number) =>
  db.$transaction(async (tx) => {
    const book = await tx.book.findFirstOrThrow({ where: { title: "A Wizard of Earthsea" } });
    if (book.stock < n) throw new Error(`Only ${book.stock} left`);
    await tx.book.update({ where: { id: book.id }, data: { stock: book.stock - n } });
  });
await Promise.all([1, 1, 1].map((n) => take(prisma, n)));
done("3 at once in one process took turns");
await Promise.all([prisma, elsewhere].map((db) => withRetry(() => take(db, 1), { retries: 50 })));
done("2 at once in two processes: who meets a conflict, P2034, runs again");
await take(prisma, 1).catch((error: Error) => done(`Rolled back: ${error.message}`));

heading("Cascades");
await prisma.author.delete({ where: { name: "Stanisław" } });
done(`Without Stanisław, his books are gone too: ${await prisma.book.count()} is left`);

for (const name of ["_BookToTag", "Tag", "Book", "Author", "demo_migrations"]) {
  await client.execute(`DROP TABLE "${name}"`);
}
await Promise.all([prisma.$disconnect(), elsewhere.$disconnect()]);
await Promise.all([client.close(), another.close()]);
engine.close();
