import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { embedded } from "../../src/embedded/mod.ts";
import { post, rows } from "./post.ts";

describe("embedded() of a path", () => {
  let folder = "";
  const home = process.cwd();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "embedded-"));
    for (const name of ["other", "D:"]) mkdirSync(join(folder, name));
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "link"));
    symlinkSync(join(folder, "real", "target.db"), join(folder, "link.db"));
    process.chdir(folder);
  });
  after(() => {
    process.chdir(home);
    rmSync(folder, { recursive: true, force: true });
  });

  const accepted: [path: string, file: string | undefined][] = [
    ["relative.db", "relative.db"],
    ["./other/../dots.db", "dots.db"],
    ["link/by_folder.db", "real/by_folder.db"],
    ["link.db", "real/target.db"],
    ["a b#c?d%20e.db", "a b#c?d%20e.db"],
    ["C:app.db", "C:app.db"],
    ["D://app.db", "D:/app.db"],
    ["FILE:upper.db", "FILE:upper.db"],
    ["file:uri.db", "uri.db"],
    ["file:a%20b%3F%23.db", "a b?#.db"],
    ["file:fragment.db#main", "fragment.db"],
    ["file:usual.db?mode=rwc&cache=private", "usual.db"],
    ["file://FOLDER/%C3%BC.db", "ü.db"],
    ["file://localhostFOLDER/host.db", "host.db"],
    [":memory:", undefined],
    ["file::memory:", undefined],
  ];
  for (const [path, file] of accepted) {
    it(`takes ${path} for one place, also after a chdir`, async () => {
      const engine = embedded(path.replace("FOLDER", folder));
      try {
        await post(engine, "/db/execute", ["CREATE TABLE t(a)", "INSERT INTO t VALUES(1)"]);
        assert.deepEqual(await rows(engine, "SELECT a FROM t"), [[1]]);
        const url = "http://localhost:4001/db";
        const body = await (await engine.fetch(`${url}/backup`)).arrayBuffer();
        process.chdir("other");
        const loaded = await engine.fetch(`${url}/load`, { method: "POST", body });
        assert.equal(loaded.status, 200);
        await post(engine, "/db/execute", ["INSERT INTO t VALUES(2)"]);
        assert.deepEqual(await rows(engine, "SELECT a FROM t"), [[1], [2]]);
      } finally {
        process.chdir(folder);
        engine.close();
      }
      if (file !== undefined) assert.ok(existsSync(join(folder, file)));
      assert.deepEqual(readdirSync(join(folder, "other")), []);
    });
  }

  const refused: [path: unknown, advice: RegExp][] = [
    ["", /must be a file or ":memory:"/],
    [new URL("file:///tmp/a.db"), /of a URL object, pass its href/],
    [null, /must be a file/],
    [1, /must be a file/],
    ["a\0b.db", /NUL/],
    ["file:a%00b.db", /NUL/],
    ["file:", /names no file: write file:app\.db/],
    ["file:?cache=private", /names no file/],
    ["file:100%.db", /write % as %25/],
    ["file://server/share/a.db", /names a host: write file:\/\/\/path/],
    ["http://localhost:4001", /`path` is a URL: give that of a server to connect\(\)/],
    ["http:/app:secret@db:4001", /^[^:]*`path` is a URL: give that of a server to connect\(\)$/],
    ["file::memory:?cache=shared", /\?cache=… are not supported: .* or ":memory:"/],
    ["file:a?mode=memory", /\?mode=… are not supported: .* or ":memory:"/],
    ["file:a?mode=memory&cache=shared", /are not supported/],
    ["file:a.db?mode=ro", /write the file alone/],
    ["file:a.db?mode=rw", /are not supported/],
    ["file:a.db?immutable=1", /are not supported/],
    ["file:a.db?nolock=1", /are not supported/],
    ["file:a.db?vfs=memdb", /are not supported/],
    ["file:a.db?mode=rwc&mode=ro", /are not supported/],
    ["file:a.db?mode=rwcx", /are not supported/],
    // A key of SQLCipher, a token of others.
    ["file:a.db?key=hunter2&cipher=x", /\?key=…&cipher=… are not supported/],
  ];
  for (const [path, advice] of refused) {
    it(`refuses ${JSON.stringify(path)} and says what to write`, () => {
      assert.throws(() => embedded(path as string), { name: "TypeError", message: advice });
    });
  }
});
