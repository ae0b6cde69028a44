import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { freePort } from "../support/ports.ts";
import { importsOf } from "../support/source.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { assertTold, type Ran, runExample } from "./run_example.ts";

const demo = (...flags: readonly string[]): Promise<Ran> => runExample("demo.ts", ...flags);

/** What the demo must tell, in this order. */
const STORY = [
  "✓ Table demo_products is ready",
  "✓ Inserted Widget A ($9.99, 100 in stock) as id 1",
  "✓ Inserted Gadget B ($24.50, 12 in stock) as id 2",
  "✓ Found Widget A ($9.99, 100 in stock)",
  "    id   name        price   quantity",
  "     1   Widget A    $9.99        100",
  "✓ Widget A: $9.99 → $12.99, 100 → 85 in stock",
  "✓ Took 5 Widget A and 2 Gadget B; 90 pieces are left",
  "✓ IntegrityError: ",
  "code SQLITE_CONSTRAINT_UNIQUE, constraint unique, statement 1",
  "Widget A still costs $12.99",
  "REAL      0.30000000000000004     0.30000000000000004",
  "INTEGER   9223372036854775807n    9223372036854775807n",
  "BLOB      bytes 255 216 255 224   bytes 255 216 255 224",
  "✓ Deleted Widget A (1 row)",
  "✓ Deleted the others (2 rows)",
  "✓ Table empty: 0 rows",
];

function assertStory(ran: Ran): void {
  assertTold(ran, STORY);
  assert.ok(!ran.stdout.includes("\x1b"), "there are colours although nobody is looking");
}

/** What a module and all that it imports want from outside this repository. */
function outside(module: URL, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(module.href)) return seen;
  seen.add(module.href);
  for (const { specifier } of importsOf(readFileSync(module, "utf8"))) {
    if (specifier.startsWith(".")) outside(new URL(specifier, module), seen);
    else seen.add(specifier);
  }
  return seen;
}

describe("the demo", () => {
  it("demo needs nothing that has to be installed", () => {
    const wanted = [...outside(new URL("../../examples/demo.ts", import.meta.url))];
    assert.ok(wanted.some((one) => one.endsWith("/mod.ts")));
    assert.deepEqual(wanted.filter((one) => !/^(?:file|node):/.test(one)), []);
  });

  it("demo tells its whole story on the embedded engine", async () => {
    assertStory(await demo());
  });

  it("demo --url of a dead server ends with what to do, and code 1", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await demo("--url", url);
    assert.equal(code, 1);
    const hint = "is rqlite running there\\? Without --url the demo needs no server";
    assert.match(stderr, new RegExp(`✗ Cannot reach ${url}: .*refused.*: ${hint}`, "i"));
    assert.ok(!stderr.includes("    at "), stderr);
  });

  it("demo --url of something else than a URL says what a URL looks like", async () => {
    const { code, stderr } = await demo("--url", "localhost");
    assert.equal(code, 1);
    assert.match(stderr, /✗ Cannot connect to "localhost" as it is not an http:\/\//);
  });

  it("demo with an unknown flag prints its usage, and ends with code 2", async () => {
    const { code, stdout, stderr } = await demo("--colour");
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /--colour[^]*Usage: deno run -A examples\/demo.ts \[--url /);
  });
});

describe("the demo on a server", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  before(async () => {
    server = await startRqlited();
  });
  after(() => server.stop());

  it("demo --url tells the same story, as often as one likes, and leaves nothing behind but the log of commits", async () => {
    assertStory(await demo("--url", server.url));
    assertStory(await demo("--url", server.url));
    const [{ values }] = await server.sql("SELECT name FROM sqlite_schema ORDER BY name") as [
      { values?: unknown[][] },
    ];
    assert.deepEqual(values?.flat(), [
      "_rqlite_commit",
      "sqlite_autoindex__rqlite_commit_1",
      "sqlite_sequence",
    ]);
  });
});
