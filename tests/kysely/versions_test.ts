// The same suite over the oldest and the newest Kysely that RqliteDialect is for.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";
import { rqlitedBinary, skipWithoutRqlited } from "../support/rqlited_binary.ts";

const VERSIONS = ["0.28.19", "0.30.0-beta.2"];
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SUITE = "tests/kysely/dialect_test.ts";

const TEST_ARGS = {
  deno: ["test", "-A", "--no-check", SUITE],
  bun: ["test", "--timeout=60000", `./${SUITE}`],
  node: ["--test", "--disable-warning=ExperimentalWarning", SUITE],
};

/** What the library imports: the same Kysely as its user, or its own beside another, as npm may install it. */
type Library = "the same" | "its own";

/** A copy of the library and the suite, in which the suite imports that version of Kysely. */
function workshop(version: string, library: Library): string {
  const folder = mkdtempSync(join(tmpdir(), "kysely-"));
  for (const part of ["mod.ts", "src", "packages/kysely", "tests/support", "tests/kysely"]) {
    const filter = (source: string): boolean => !/versions|node_modules/.test(source);
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter });
  }
  writeFileSync(join(folder, "deno.json"), '{ "nodeModulesDir": "manual" }');
  if (library === "the same") {
    link(folder, installed(version));
  } else {
    link(join(folder, "packages/kysely"), realpathSync(`${ROOT}node_modules/kysely`));
    link(folder, installed(version));
  }
  linkClient(folder);
  return folder;
}

function link(folder: string, target: string): void {
  const manifest = { type: "module", dependencies: { kysely: "*" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(target, join(folder, "node_modules/kysely"));
}

/** What the dialect finds by the name of the client's package. */
function linkClient(folder: string): void {
  const home = join(folder, "node_modules/@tangled/rqlite");
  const { name, exports } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, type: "module", exports }));
  for (const part of ["mod.ts", "src"]) symlinkSync(join(folder, part), join(home, part));
}

function installed(version: string): string {
  return `${ROOT}tests/kysely/versions/node_modules/.deno/kysely@${version}/node_modules/kysely`;
}

/** Servers differ in nothing that a second Kysely could matter to. */
const TARGETS = { "the same": "all", "its own": "embedded" } as const;

async function runSuite(
  folder: string,
  version: string,
  library: Library,
): Promise<{ code: number; output: string }> {
  // A run within a run of Node's would report to that.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const server = skipWithoutRqlited() === false ? { RQLITED_BIN: rqlitedBinary().path } : {};
  const env = { ...inherited, ...server, KYSELY_VERSION: version, KYSELY_TARGET: TARGETS[library] };
  const child = spawn(OWN_ENGINE.command, TEST_ARGS[OWN_ENGINE.name], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code: code ?? -1, output };
}

describe("RqliteDialect with another Kysely", () => {
  for (const version of VERSIONS) {
    const skip = existsSync(installed(version)) || process.env.CI
      ? false
      : "deno install --frozen in tests/kysely/versions";
    for (const library of ["the same", "its own"] as const) {
      it(`${version} passes the suite where the library imports ${library}`, { skip }, async () => {
        const folder = workshop(version, library);
        try {
          const { code, output } = await runSuite(folder, version, library);
          assert.equal(code, 0, output.slice(-5000));
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      });
    }
  }
});
