import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Interruption } from "../../src/cli/mod.ts";
import { startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cli } from "./run_cli.ts";

const root = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(root, { recursive: true }));

const folder = join(root, "migrations");
const url = ["--url", join(root, "app.db"), "--create"];
const migrate = (...args: readonly string[]) => cli(lineOf(args));
const lineOf = (args: readonly string[]) => [
  ...["migrate", ...args, "--folder", folder],
  ...(args[0] === "new" ? [] : url),
];

describe("migrate", () => {
  it("new makes files with the next number", async () => {
    assert.equal(
      (await migrate("new", "Users & names")).stdout,
      `✓ ${folder}/0001_users_names.sql\n`,
    );
    await migrate("new", "notes", "--down");
    assert.deepEqual(readdirSync(folder).sort(), [
      "0001_users_names.sql",
      "0002_notes.down.sql",
      "0002_notes.sql",
    ]);
    assert.equal(readFileSync(join(folder, "0002_notes.sql"), "utf8"), "");
    const nameless = await migrate("new", "--", "--");
    assert.equal(nameless.code, 2);
  });

  it("up applies what was not, up to one or all, and status tells", async () => {
    const files = {
      "0001_users_names.sql": "CREATE TABLE users(name TEXT)",
      "0002_notes.sql": "CREATE TABLE notes(body TEXT)",
      "0002_notes.down.sql": "DROP TABLE notes",
    };
    for (const [file, sql] of Object.entries(files)) writeFileSync(join(folder, file), sql);
    const dry = await migrate("up", "--dry-run");
    assert.equal(dry.stdout, "✓ 0001_users_names to apply\n✓ 0002_notes to apply\n");
    assert.equal(
      (await migrate("up", "--to", "0001_users_names")).stdout,
      "✓ 0001_users_names applied\n",
    );
    const { stdout } = await migrate("status");
    assert.match(
      stdout,
      /^migration +state +applied +down\n0001_users_names +applied +2\S+Z +no\n0002_notes +pending +NULL +yes\n/,
    );
    assert.equal(
      (await migrate("up", "--json")).stdout,
      '{"applied":["0002_notes"],"reverted":[]}\n',
    );
    assert.equal((await migrate("up")).stdout, "✓ nothing to do\n");
    const back = await migrate("up", "--to", "0001_users_names");
    assert.equal(back.code, 2);
    assert.match(back.stderr, /as 0002_notes would be taken back: write migrate down/);
  });

  it("down takes back the last one where that is agreed to", async () => {
    const silent = await migrate("down");
    assert.equal(silent.code, 2);
    assert.match(
      silent.stderr,
      /Cannot ask whether 0002_notes may be taken back: say it with --yes/,
    );
    assert.equal((await migrate("down", "--yes")).stdout, "✓ 0002_notes taken back\n");
    const tables = "SELECT name FROM sqlite_schema WHERE name IN ('users', 'notes')";
    assert.equal((await cli(["query", tables, ...url, "--json"])).stdout, '[{"name":"users"}]\n');
  });

  it("down takes back nothing that was not shown, as others may have applied it since", async () => {
    const third = ["0003_third.sql", "0003_third.down.sql"].map((file) => join(folder, file));
    await migrate("up");
    async function* answering() {
      for (const file of third) writeFileSync(file, "SELECT 1");
      await migrate("up");
      yield "yes\r";
    }
    const { code, stderr } = await cli(lineOf(["down"]), { stdin: answering(), terminal: true });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /0002_notes will be taken back at .* as 0003_third would be taken back, too/s,
    );
    assert.equal((await migrate("down", "--yes")).stdout, "✓ 0003_third taken back\n");
    for (const file of third) rmSync(file);
    await migrate("down", "--yes");
  });

  it("status ends with 1 where nothing can be applied, and up names the file", async () => {
    writeFileSync(join(folder, "0001_users_names.sql"), "CREATE TABLE users(other TEXT)");
    const { code, stdout } = await migrate("status", "--json");
    assert.equal(code, 1);
    assert.equal(JSON.parse(stdout)[0].state, "edited");
    const up = await migrate("up");
    assert.equal(up.code, 1);
    assert.match(up.stderr, /^✗ ProgrammingError: Cannot migrate as 0001_users_names was edited/);
  });

  it("lets no name of a file command the terminal", async () => {
    const place = join(root, "odd");
    mkdirSync(place);
    for (const end of ["sql", "down.sql"]) {
      writeFileSync(join(place, `1_a\u202e\x1b[2J.${end}`), "");
    }
    const args = ["--folder", place, "--url", join(root, "odd.db"), "--create"];
    const up = await cli(["migrate", "up", ...args]);
    assert.equal(up.stdout, "✓ 1_a\\u202e\\x1b[2J applied\n");
    const down = await cli(["migrate", "down", ...args], { stdin: "yes\r", terminal: true });
    assert.match(down.stderr, /^1_a\\u202e\\x1b\[2J will be taken back/);
    assert.match(down.stdout, / 1_a\\u202e\\x1b\[2J taken back\n$/);
  });

  it("waits for the cluster no longer than --timeout says", async () => {
    const silent = createServer(() => {});
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const place = ["--url", `http://127.0.0.1:${port}`, "--folder", join(root, "none")];
    mkdirSync(join(root, "none"));
    try {
      for (const command of ["status", "up", "down"]) {
        // A minute is what it would wait by itself.
        const ended = new AbortController();
        const late = setTimeout(() => ended.abort(new Interruption()), 20_000);
        const args = ["migrate", command, ...place, "--timeout", "0.2"];
        const { code, stderr } = await cli(args, { signal: ended.signal });
        clearTimeout(late);
        assert.equal(code, 1, command);
        assert.match(stderr, /^✗ TimeoutError: /);
      }
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it("alone says what may follow", async () => {
    const { code, stderr } = await cli(["migrate"]);
    assert.equal(code, 2);
    assert.match(stderr, /migrate alone: write migrate up, or down, or status, or new/);
    assert.match((await migrate("upp")).stderr, /did you mean `up`/);
  });
});

describe("migrate up", { skip: skipWithoutRqlited() }, () => {
  it("applies nothing but what it has planned, and says how far it is where it is interrupted", async () => {
    const place = join(root, "late");
    mkdirSync(place);
    const file = (name: string) => writeFileSync(join(place, `${name}.sql`), `-- ${name}`);
    file("1_first");
    file("2_second");
    await using server = await startRqlited();
    const proxy = await startProxy(server.url);
    try {
      const args = ["migrate", "up", "--folder", place, "--url", proxy.url];
      // Its first request comes behind its first look into the folder.
      const late = (name: string): void => {
        proxy.plan = () => {
          file(name);
          proxy.plan = () => "pass";
          return "pass";
        };
      };
      late("3_third");
      const behind = await cli(args);
      assert.equal(behind.code, 1);
      assert.match(behind.stderr, /^✗ ProgrammingError: Cannot go on as 3_third would be applied/);
      const sql = "SELECT group_concat(name) AS names FROM rqlite_migrations";
      const applied = async () =>
        JSON.parse((await cli(["query", sql, "--url", server.url, "--json"])).stdout)[0].names;
      assert.equal(await applied(), "1_first,2_second");
      file("5_fifth");
      late("4_fourth");
      const between = await cli([...args, "--to", "5_fifth"]);
      assert.equal(between.code, 1);
      assert.match(between.stderr, /as 4_fourth would be applied, too, because of what others/);
      assert.equal(await applied(), "1_first,2_second,3_third");
      const interrupted = new AbortController();
      proxy.plan = ({ body }) => {
        if (!body.includes("5_fifth")) return "pass";
        interrupted.abort(new Interruption());
        return "swallow";
      };
      const stopped = await cli(args, { signal: interrupted.signal });
      assert.equal(stopped.code, 130);
      assert.match(stopped.stderr, /^✗ Interrupted: 4 of 5 migrations are applied; one that was/);
      proxy.plan = () => "pass";
      assert.equal((await cli(args)).stdout, "✓ 5_fifth applied\n");
    } finally {
      await proxy.close();
    }
  });
});
