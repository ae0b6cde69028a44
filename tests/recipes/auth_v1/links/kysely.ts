export * from "../../../../packages/kysely/mod.ts";
