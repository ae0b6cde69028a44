export * from "../../../../mod.ts";
