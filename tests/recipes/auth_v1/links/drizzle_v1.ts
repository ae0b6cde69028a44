export * from "../../../../packages/drizzle-v1/mod.ts";
