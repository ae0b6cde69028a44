export * from "../../../../packages/drizzle/mod.ts";
