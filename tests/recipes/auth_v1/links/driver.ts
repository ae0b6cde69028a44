export * from "../../../../src/driver/mod.ts";
