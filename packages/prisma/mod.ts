/**
 * rqlite for [Prisma](https://www.prisma.io/orm) 7: a driver adapter with real transactions.
 *
 * @example
 * ```ts ignore
 * import { PrismaRqlite } from "@tangled/rqlite-prisma";
 * import { PrismaClient } from "./generated/client.ts";
 *
 * const adapter = new PrismaRqlite({ url: "http://localhost:4001" });
 * const prisma = new PrismaClient({ adapter });
 * await prisma.user.create({ data: { name: "Ada", posts: { create: { title: "Notes" } } } });
 * ```
 *
 * @module
 */

export { PrismaRqlite } from "./src/factory.ts";
export type { PrismaRqliteOptions, PrismaRqliteTarget, TimestampFormat } from "./src/options.ts";
export { type RetryOptions, withRetry } from "@tangled/rqlite";
