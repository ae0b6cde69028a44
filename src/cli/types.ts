import { readFile } from "node:fs/promises";
import { inspect } from "../inspect/inspect.ts";
import type { IntegerMode } from "../sql/value.ts";
import { wordOf } from "./arguments.ts";
import { command } from "./command.ts";
import { UsageError } from "./exit.ts";
import { writeWhole } from "./file.ts";
import { schemaTypes, TARGETS } from "./types/schema_types.ts";
import { withServedTypes } from "./types/served_types.ts";

const MODES: readonly IntegerMode[] = ["number", "bigint", "string", "auto"];

/** `types`: the rows of tables and views as types of TypeScript. */
export const types = command({
  name: "types",
  summary: "writes the types of rows for TypeScript, Kysely or Drizzle",
  operands: "",
  count: [0, 0],
  options: {
    for: {
      type: "string",
      value: "TARGET",
      help: "plain, kysely or drizzle; plain if it is not given",
    },
    out: {
      type: "string",
      short: "o",
      value: "FILE",
      help: "the file; standard output if it is not given",
    },
    check: {
      type: "boolean",
      help: "writes nothing, and fails where the file is not what the schema makes",
    },
    integers: {
      type: "string",
      value: "MODE",
      help: "as the client has it: number, bigint, string or auto; number if it is not given",
    },
    exclude: {
      type: "string",
      multiple: true,
      value: "NAME",
      help: "without this table or view; may be given several times",
    },
  },
  details:
    "The same schema makes the same text, and a file that has it already is left alone. What the client and tools for\n" +
    "migrations keep for themselves is left out.",
  async run({ values, connect, output, progress, signal }) {
    const { out: file, check = false, exclude = [] } = values;
    const target = wordOf("for", values.for ?? "plain", TARGETS);
    const integers = wordOf("integers", values.integers ?? "number", MODES);
    if (target === "drizzle" && values.integers !== undefined) {
      throw new UsageError(
        "Cannot use --integers with Drizzle, whose columns say by themselves what they give",
      );
    }
    if (file === undefined && (check || output.json)) {
      throw new UsageError(`Cannot use --${check ? "check" : "json"} without --out FILE`);
    }
    const db = await connect();
    progress.tell("reading the schema");
    const schema = await withServedTypes(db, await inspect(db, { signal }), { signal });
    await progress.end();
    const known = [...schema.tables, ...schema.views].map(({ name }) => name);
    const unknown = exclude.find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`Cannot use --exclude ${unknown} as there is no such table or view`);
    }
    const text = schemaTypes(schema, { target, integers, exclude });
    if (file === undefined) return await output.write(text);
    const changed = await textOf(file) !== text;
    if (check && changed) {
      throw new Error(`${file} is not what the schema makes: without --check it is written anew`);
    }
    if (changed) await writeWhole(file, new Blob([text]).stream());
    if (output.json) return await output.line(JSON.stringify({ file, changed }));
    await output.done(`${file}: ${changed ? "written" : "as it was"}`);
  },
});

/** What a file holds; `undefined` if there is none. */
async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
