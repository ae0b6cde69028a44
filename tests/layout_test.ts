import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { cycles, forbiddenImports, foreignNames, type Layers } from "./support/layout.ts";
import { codeOnly, importsOf, runtimeNames } from "./support/source.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Who may import whom; CONTRIBUTING.md says why. */
const LAYERS: Layers = {
  "errors.ts": ["sql"],
  "options.ts": [],
  "sql": ["errors.ts"],
  "wire": ["sql", "errors.ts"],
  "reason.ts": [],
  "time": [],
  "late.ts": ["time", "errors.ts"],
  "transport": ["time", "late.ts", "errors.ts", "options.ts", "reason.ts"],
  "calls": ["time", "late.ts", "wire", "transport", "sql", "errors.ts", "options.ts"],
  "locks": ["time", "calls", "sql", "errors.ts", "options.ts", "reason.ts"],
  "lead": ["time", "locks", "calls", "errors.ts", "options.ts"],
  "schema": ["calls", "sql", "errors.ts"],
  "reads": ["schema", "wire", "sql", "errors.ts"],
  "commit": ["time", "calls", "schema", "wire", "transport", "sql", "errors.ts", "options.ts"],
  "transaction": [
    "time",
    "commit",
    "reads",
    "schema",
    "calls",
    "locks",
    "wire",
    "transport",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "client": [
    "time",
    "late.ts",
    "transaction",
    "commit",
    "calls",
    "wire",
    "transport",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "dbapi": [
    "client",
    "transaction",
    "locks",
    "calls",
    "transport",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "hono": ["client", "transaction", "locks", "calls", "sql", "errors.ts", "options.ts"],
  "inspect": ["calls", "sql", "errors.ts", "options.ts"],
  "observe": ["calls", "sql", "errors.ts", "options.ts"],
  "cli": [
    "migrate",
    "doctor",
    "embedded",
    "node",
    "inspect",
    "client",
    "calls",
    "wire",
    "transport",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "doctor": [
    "time",
    "client",
    "schema",
    "calls",
    "wire",
    "transport",
    "sql",
    "errors.ts",
    "options.ts",
    "reason.ts",
  ],
  "migrate": [
    "time",
    "client",
    "commit",
    "locks",
    "calls",
    "transport",
    "node",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "cdc": ["schema", "calls", "wire", "sql", "errors.ts", "options.ts"],
  "driver": [
    "migrate",
    "client",
    "transaction",
    "inspect",
    "locks",
    "calls",
    "sql",
    "errors.ts",
    "options.ts",
  ],
  "packages/kysely": [],
  "packages/drizzle": [],
  "packages/drizzle-v1": [],
  "packages/prisma": [],
  "node": ["errors.ts", "options.ts"],
  "embedded": ["sql", "errors.ts", "options.ts"],
  "mod.ts": ["client", "transaction", "locks", "calls", "transport", "wire", "sql", "errors.ts"],
};

/** The parts that are made for certain runtimes. */
const BOUND = ["cli", "embedded", "node"];

/** What the drivers may import: the client, by its public entry points, and the ORM that they are for. */
const PACKAGES = {
  "packages/kysely": ["@tangled/rqlite", "kysely"],
  "packages/drizzle": ["@tangled/rqlite", "drizzle-orm"],
  "packages/drizzle-v1": ["@tangled/rqlite", "drizzle-orm"],
  "packages/prisma": ["@tangled/rqlite", "@prisma/driver-adapter-utils"],
};

function readSources(): Map<string, string> {
  const paths = ["mod.ts", ...modulesIn("src"), ...modulesIn("packages")];
  return new Map(paths.map((path) => [path, readFileSync(ROOT + path, "utf8")]));
}

function modulesIn(folder: string): string[] {
  const inside = readdirSync(ROOT + folder, { recursive: true, encoding: "utf8" });
  const modules = inside.filter((path) => path.endsWith(".ts") && !path.includes("node_modules"));
  return modules.map((path) => `${folder}/${path.replaceAll("\\", "/")}`);
}

describe("layout of the packages", () => {
  it("src/ imports in the directions of the layers only", () => {
    assert.deepEqual(forbiddenImports(readSources(), LAYERS), []);
  });

  it("src/ has no import cycle, nor one of types, and packages have none that exist at run time", () => {
    const sources = readSources();
    assert.deepEqual(cycles(sources), []);
    const core = [...sources].filter(([path]) => !path.startsWith("packages/"));
    assert.deepEqual(cycles(new Map(core), true), []);
  });

  it("@module stands in the files that a deno.json exports, and nowhere else", () => {
    const { workspace } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
    const entries = ["", ...workspace].flatMap((folder: string) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, "deno.json"), "utf8"));
      return Object.values<string>(manifest.exports).map((entry) => join(folder, entry));
    });
    const tagged = [...readSources()].filter(([, text]) => /^ \* @module$/m.test(text));
    assert.deepEqual(tagged.map(([path]) => path).sort(), entries.sort());
  });

  it("src/ names no runtime and no package outside the parts made for them", () => {
    assert.deepEqual(foreignNames(readSources(), BOUND, PACKAGES), []);
  });

  it("src/ reads table-valued functions as temp.…, where no table of the user can be meant", () => {
    const shadowed = /(?:\b(?:FROM|JOIN)\s|,)\s*(?:main\.)?(?:pragma_\w+|json_each|json_tree)\b/;
    const found = [...readSources()].filter(([, text]) => shadowed.test(text));
    assert.deepEqual(found.map(([path]) => path), []);
  });

  it("every deno.json exports files that exist", () => {
    const { workspace } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
    for (const folder of ["", ...workspace]) {
      const manifest = JSON.parse(readFileSync(join(ROOT, folder, "deno.json"), "utf8"));
      const entries: string[] = Object.values(manifest.exports);
      assert.deepEqual(entries.filter((entry) => !existsSync(join(ROOT, folder, entry))), []);
      assert.ok(entries.length > 0, folder);
    }
  });

  it("every package publishes a README, a CHANGELOG and a LICENSE", () => {
    const { workspace } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
    for (const folder of ["", ...workspace]) {
      const { publish } = JSON.parse(readFileSync(join(ROOT, folder, "deno.json"), "utf8"));
      for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) {
        assert.ok(existsSync(join(ROOT, folder, file)), `${folder} has no ${file}`);
        assert.ok(publish.include.includes(file), `${folder} does not publish ${file}`);
      }
    }
  });
});

describe("checks of the layout", () => {
  const graph = (modules: Record<string, string>) => new Map(Object.entries(modules));

  it("forbiddenImports() finds a wrong direction, a missing module and a part without rule", () => {
    const sources = graph({
      "src/sql/a.ts": 'import { b } from "../wire/b.ts";\nexport * from "./gone.ts";',
      "src/wire/b.ts": 'import type { A } from "../sql/a.ts";',
      "src/other/c.ts": "",
    });
    assert.deepEqual(forbiddenImports(sources, LAYERS), [
      "src/other/c.ts: no rule says what other may import",
      "src/sql/a.ts must not import src/wire/b.ts",
      "src/sql/a.ts imports ./gone.ts, which does not exist",
    ]);
  });

  it("cycles() finds a cycle, and one with imports of types where these count", () => {
    const a = 'import { b } from "./b.ts";';
    const b = 'export { c } from "./c.ts";';
    const c = 'import {\n  a,\n} from "./a.ts";';
    const types = 'import type {\n  a,\n} from "./a.ts";';
    assert.deepEqual(
      cycles(graph({ "src/a.ts": a, "src/b.ts": b, "src/c.ts": c })),
      ["src/a.ts > src/b.ts > src/c.ts > src/a.ts"],
    );
    const ofTypes = graph({ "src/a.ts": a, "src/b.ts": b, "src/c.ts": types });
    assert.deepEqual(cycles(ofTypes), []);
    assert.equal(cycles(ofTypes, true).length, 1);
  });

  it("foreignNames() finds runtime names and packages, and lets parts use what is theirs", () => {
    const sources = graph({
      "src/wire/a.ts": 'import x from "npm:x@1";\nimport "node:fs";\nconst b = Buffer.from("");',
      "src/embedded/b.ts": 'import { DatabaseSync } from "node:sqlite";\nprocess.exit();',
      "src/embedded/c.ts": 'import * as pg from "pg";',
      "packages/kysely/d.ts": 'import "kysely"; import "kysely/migration"; import "kysely-x";',
    });
    assert.deepEqual(foreignNames(sources, BOUND, PACKAGES), [
      "src/wire/a.ts uses Buffer",
      "src/wire/a.ts imports npm:x@1",
      "src/wire/a.ts imports node:fs",
      "src/embedded/c.ts imports pg",
      "packages/kysely/d.ts imports kysely-x",
    ]);
  });

  it("runtimeNames() sees code, not comments and texts", () => {
    const found = runtimeNames(`
      // Deno.env
      /* Bun.file */ const text = "process.env" + 'Buffer' + \`Deno.x \${Bun.y} Deno.z\`;
      const escaped = "\\"Deno.a"; const re = /["'\`] Deno\\.b/; const half = 4 / 2; Deno.c();
      queue.process.x; this.#process.y; globalThis.process; process?.env; arrayBuffer(); new Buffer();
    `);
    assert.deepEqual(found, ["Bun.", "Deno.", "globalThis.process", "process?.", "Buffer"]);
  });

  it("importsOf() sees every form of import", () => {
    const source = `
      import "./a.ts"; import b from './b.ts'; import { type C } from "./c.ts";
      import type { D } from "./d.ts"; export * from "./e.ts"; export type { F } from "./f.ts";
      const g = await import("./g.ts"); type H = import("./h.ts").H;
      // import "./no.ts"
      const text = 'import "./no.ts"'; Array.from("no");
    `;
    const found = importsOf(source).map((one) => one.specifier + (one.typeOnly ? " type" : ""));
    assert.deepEqual(found, [
      ...["./a.ts", "./b.ts", "./c.ts", "./d.ts type", "./e.ts", "./f.ts type"],
      ...["./g.ts", "./h.ts"],
    ]);
  });

  it("codeOnly() keeps every offset", () => {
    const source = "const a = `x${ { b: `${1}` }.b }y`; // c\nconst d = 'e';";
    const code = codeOnly(source);
    assert.equal(code.length, source.length);
    assert.equal(code, "const a = `_${ { b: `${1}` }.b }_`;     \nconst d = '_';");
  });
});
