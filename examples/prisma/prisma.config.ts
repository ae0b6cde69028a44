import { defineConfig } from "prisma/config";

export default defineConfig({
  schema: "schema.prisma",
  migrations: { path: "migrations" },
  // For the command line alone, which opens files: a database to develop the schema with, not rqlite's.
  datasource: { url: "file:./dev.db" },
});
