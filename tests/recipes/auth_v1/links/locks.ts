export * from "../../../../src/locks/rqlite.ts";
