export * from "../../../../src/inspect/mod.ts";
