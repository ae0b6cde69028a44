import { readFile } from "node:fs/promises";
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import type { SchemaEngine } from "@prisma/schema-engine-wasm";
// What the package's own entry does needs a bundler.
import * as bindings from "@prisma/schema-engine-wasm/schema_engine_bg";

const MODULE = "@prisma/schema-engine-wasm/schema_engine_bg";
let loaded: Promise<void> | undefined;

async function load(): Promise<void> {
  const bytes = await readFile(
    new URL("./schema_engine_bg.wasm", import.meta.resolve(MODULE)),
  );
  const imports = {
    "./schema_engine_bg.js": bindings,
  } as unknown as WebAssembly.Imports;
  const { instance } = await WebAssembly.instantiate(
    new Uint8Array(bytes),
    imports,
  );
  const { __wbg_set_wasm } = bindings as unknown as {
    __wbg_set_wasm(exports: object): void;
  };
  __wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
}

/** What stands behind `prisma migrate diff`, `prisma db push` and `prisma db pull`, over a driver adapter. */
export async function schemaEngine(
  factory: SqlMigrationAwareDriverAdapterFactory,
  schema?: string,
): Promise<SchemaEngine> {
  await (loaded ??= load());
  const { SchemaEngine } = bindings as unknown as typeof import("@prisma/schema-engine-wasm");
  const datamodels: [string, string][] | undefined = schema === undefined
    ? undefined
    : [["schema.prisma", schema]];
  const adapter = bindMigrationAwareSqlAdapterFactory(factory);
  return await SchemaEngine.new({ datamodels }, () => {}, adapter);
}
