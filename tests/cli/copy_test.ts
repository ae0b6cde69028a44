import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { Interruption } from "../../src/cli/mod.ts";
import { cli } from "./run_cli.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

const at = (name: string) => ["--url", join(folder, name), "--create"];
const count = async (name: string) =>
  (await cli(["query", "SELECT count(*) AS n FROM t", ...at(name), "--json"])).stdout;

/** An empty folder, to see what a command leaves in it. */
function emptyFolder(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

describe("a restore that is interrupted", { skip: skipWithoutRqlited() }, () => {
  it("says what is certain of the database", async () => {
    await using server = await startRqlited();
    await server.sql("CREATE TABLE kept(a)");
    const proxy = await startProxy(server.url);
    try {
      for (const dump of [false, true]) {
        const file = join(folder, dump ? "restored.sql" : "restored.db");
        await cli([dump ? "dump" : "backup", file, "--url", server.url]);
        for (const isSent of [false, true]) {
          const controller = new AbortController();
          proxy.plan = ({ path, body }) => {
            const isIt = path.startsWith("/db/load") || body.includes("CREATE TABLE kept");
            if (isSent !== isIt) return "pass";
            controller.abort(new Interruption());
            return isIt ? "swallow answer" : "swallow";
          };
          const args = ["restore", file, "--yes", "--url", proxy.url];
          const { code, stderr } = await cli(args, { signal: controller.signal });
          assert.equal(code, 130);
          const certain =
            /^✗ Interrupted: the file was not sent to its end, and nothing was changed/;
          const open = /^✗ Interrupted: it cannot be told whether the database was replaced/;
          // Text is read to its end before anything is asked.
          assert.match(stderr, isSent || dump ? open : certain);
        }
      }
    } finally {
      await proxy.close();
    }
  });
});

describe("dump, backup and restore", () => {
  it("make a copy that is the same database", async () => {
    await cli(["script", "-", ...at("from.db")], {
      stdin:
        "CREATE TABLE t(a, b BLOB); INSERT INTO t VALUES('it''s', x'00ff'), (9007199254740993, NULL);",
    });
    const inside = emptyFolder("copies");
    const backup = await cli(["backup", join(inside, "app.db"), ...at("from.db")]);
    assert.match(backup.stdout, /^✓ .*app\.db: \d+ bytes\n$/);
    const dump = await cli(["dump", join(inside, "app.sql"), ...at("from.db"), "--json"]);
    const size = readFileSync(join(inside, "app.sql")).length;
    assert.deepEqual(JSON.parse(dump.stdout), { file: join(inside, "app.sql"), bytes: size });
    await cli(["backup", join(inside, "app.gz"), "--gzip", "--vacuum", ...at("from.db")]);
    assert.deepEqual(readdirSync(inside).sort(), ["app.db", "app.gz", "app.sql"]);
    const rows = await cli(["query", "SELECT * FROM t", "--json", ...at("from.db")]);
    for (const file of readdirSync(inside)) {
      const restored = await cli(["restore", join(inside, file), "--yes", ...at(`to-${file}`)]);
      assert.deepEqual([restored.code, restored.stderr], [0, ""]);
      const copy = await cli(["query", "SELECT * FROM t", "--json", ...at(`to-${file}`)]);
      assert.equal(copy.stdout, rows.stdout);
    }
  });

  it("write to standard output, from which a pipe may restore", async () => {
    const { stdout } = await cli(["dump", "--table", "t", ...at("from.db")]);
    assert.match(stdout, /INSERT INTO "t" VALUES\(9007199254740993,NULL\)/);
    const stdin = [stdout.slice(0, 100), stdout.slice(100)];
    assert.equal((await cli(["restore", "-", "-y", ...at("piped.db")], { stdin })).code, 0);
    assert.equal(await count("piped.db"), '[{"n":2}]\n');
    const json = await cli(["dump", "--json", ...at("from.db")]);
    assert.match(json.stderr, /--json without a file/);
  });

  it("write no database file to a terminal", async () => {
    const { code, stdout, stderr } = await cli(["backup", ...at("from.db")], { terminal: true });
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /Cannot write a database file to a terminal: name a file, or use dump/);
  });

  it("write into a pipe, through a link, and keep from others what was kept from them", async () => {
    const inside = emptyFolder("places");
    const [pipe, link, file] = ["pipe", "link", "file"].map((name) => join(inside, name));
    execFileSync("mkfifo", [pipe!]);
    writeFileSync(file!, "", { mode: 0o600 });
    symlinkSync(file!, link!);
    const reader = openSync(pipe!, "r+"); // "r" would wait for the writer
    try {
      const dump = await cli(["dump", pipe!, ...at("from.db")]);
      assert.deepEqual([dump.code, dump.stderr], [0, ""]);
      assert.ok(statSync(pipe!).isFIFO());
      assert.equal(`✓ ${pipe}: ${readSync(reader, new Uint8Array(65536))} bytes\n`, dump.stdout);
    } finally {
      closeSync(reader);
    }
    assert.equal((await cli(["dump", link!, ...at("from.db")])).code, 0);
    assert.ok(lstatSync(link!).isSymbolicLink());
    assert.match(readFileSync(file!, "utf8"), /COMMIT;\n$/);
    assert.equal(statSync(file!).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(inside).sort(), ["file", "link", "pipe"]);
  });

  it("replace nothing that nobody has agreed to", async () => {
    const file = join(folder, "copies", "app.db");
    const silent = await cli(["restore", file, ...at("from.db")]);
    assert.equal(silent.code, 2);
    assert.match(silent.stderr, /whether the database at .*from\.db may be replaced: .* --yes/);
    await cli(["query", "DELETE FROM t", ...at("from.db")]);
    const no = await cli(["restore", file, ...at("from.db")], { terminal: true, stdin: "no\r" });
    assert.deepEqual([no.code, no.stdout], [1, ""]);
    assert.match(no.stderr, /Type yes to go on: Nothing was changed\n$/);
    assert.equal(await count("from.db"), '[{"n":0}]\n');
    const yes = await cli(["restore", file, ...at("from.db")], { terminal: true, stdin: "yes\n" });
    assert.equal(yes.code, 0);
    assert.equal(await count("from.db"), '[{"n":2}]\n');
  });

  it("leave no half of a file, and change nothing by half of one", async () => {
    const server = createServer((_, answer) => {
      answer.writeHead(200, { "content-type": "application/octet-stream", "content-length": 9000 });
      answer.write(readFileSync(join(folder, "copies", "app.db")).subarray(0, 5000), () => {
        answer.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = ["--url", `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
    const inside = emptyFolder("cut");
    try {
      const cut = await cli(["backup", join(inside, "app.db"), ...url]);
      assert.equal(cut.code, 1, cut.stderr);
    } finally {
      server.close();
    }
    const signal = AbortSignal.abort(new Interruption("SIGTERM"));
    const ended = await cli(["backup", join(inside, "app.db"), ...at("from.db")], { signal });
    assert.equal(ended.code, 143);
    assert.match(
      (await cli(["backup", join(inside, "no/app.db"), ...at("from.db")])).stderr,
      /no such file/,
    );
    assert.deepEqual(readdirSync(inside), []);
    const half = readFileSync(join(folder, "copies", "app.db")).subarray(0, 5000);
    const torn = await cli(["restore", "-", "--yes", ...at("from.db")], { stdin: [half] });
    assert.equal(torn.code, 1);
    assert.match(torn.stderr, /^✗ DataError: Cannot load the file as .*; nothing was changed/);
    assert.equal(await count("from.db"), '[{"n":2}]\n');
  });
});
