export * from "../../../../src/embedded/mod.ts";
