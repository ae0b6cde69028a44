// The same suite over the oldest and the newest Kysely that RqliteDialect is for.
import assert from "node:assert/strict";
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
import { childEngines, OWN_ENGINE } from "../support/engines.ts";
import { type Ended, runToEnd } from "../support/run_to_end.ts";
import { rqlitedBinary, skipWithoutRqlited } from "../support/rqlited_binary.ts";
import { publish } from "../support/workshop.ts";

/** To the oldest, servers make no difference: it asks the dialect as the newest does. */
const TARGETS: Readonly<Record<string, "embedded" | "all">> = {
  "0.28.19": "embedded",
  "0.30.0-beta.2": "all",
};
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SUITE = "tests/kysely/dialect_test.ts";

/** What tells how the dialect meets queries of another Kysely. */
const OTHER_COPY = "tests/kysely/other_copy.ts";

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
  const { compilerOptions } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  writeFileSync(
    join(folder, "deno.json"),
    JSON.stringify({ nodeModulesDir: "manual", compilerOptions }),
  );
  if (library === "the same") {
    link(folder, installed(version));
  } else {
    link(join(folder, "packages/kysely"), realpathSync(`${ROOT}node_modules/kysely`));
    link(folder, installed(version));
  }
  publish(join(folder, "node_modules"), ROOT, folder);
  return folder;
}

function link(folder: string, target: string): void {
  const manifest = { type: "module", dependencies: { kysely: "*" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(target, join(folder, "node_modules/kysely"));
}

function installed(version: string): string {
  return `${ROOT}tests/kysely/versions/node_modules/.deno/kysely@${version}/node_modules/kysely`;
}

async function within(
  version: string,
  library: Library,
  work: (folder: string) => Promise<Ended>,
): Promise<void> {
  const folder = workshop(version, library);
  try {
    const { code, output } = await work(folder);
    assert.equal(code, 0, output.slice(-5000));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("RqliteDialect with another Kysely", () => {
  const deno = childEngines().find(({ name }) => name === "deno");
  for (const [version, target] of Object.entries(TARGETS)) {
    const skip = existsSync(installed(version)) || process.env.CI
      ? false
      : "deno install --frozen in tests/kysely/versions";

    it(`${version} passes the suite`, { skip }, () =>
      within(version, "the same", (folder) => {
        const server = skipWithoutRqlited() === false ? { RQLITED_BIN: rqlitedBinary().path } : {};
        const { name, command } = OWN_ENGINE;
        const env = { ...server, KYSELY_VERSION: version, KYSELY_TARGET: target };
        return runToEnd(folder, command, TEST_ARGS[name], env);
      }));

    it(
      `${version} has types that it fits`,
      { skip: skip || (deno ? false : "no deno") },
      () =>
        within(
          version,
          "the same",
          (folder) => runToEnd(folder, deno!.command, ["check", "packages/kysely/mod.ts"]),
        ),
    );

    it(`${version} beside the one that the library imports is refused, and nothing is sent`, {
      skip,
    }, () =>
      within(version, "its own", (folder) => {
        const { command, args } = OWN_ENGINE;
        return runToEnd(folder, command, [...args, OTHER_COPY]);
      }));
  }
});
