// What migrate() and status() refuse before they send anything, and folders as they are.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { connect, NotSupportedError, ProgrammingError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { migrate, type MigrateOptions, status } from "../../src/migrate/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";

const READER = fileURLToPath(new URL("./reader.ts", import.meta.url));
const A = { name: "1_a", sql: "CREATE TABLE a(n)" };

/** Writes a folder, and removes it afterwards. */
async function inFolder(
  files: Readonly<Record<string, string | Uint8Array>>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "migrations % #-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Both functions refuse the options by such an error, and nothing is sent. */
async function refused(
  options: unknown,
  type: abstract new (...args: never[]) => Error,
  message: RegExp,
): Promise<void> {
  let sent = 0;
  const fetch = () => {
    sent++;
    return Promise.reject(new Error("nothing is to be sent"));
  };
  const db = connect("http://localhost:4001", { fetch });
  for (const call of [migrate, status]) {
    await assert.rejects(call(db, options as MigrateOptions), (error: Error) => {
      assert.ok(error instanceof type, `${error.stack}`);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.equal(sent, 0);
}

describe("migrate() and status() refuse", () => {
  it("options that make no sense", async () => {
    const wrong: [options: unknown, message: RegExp][] = [
      [undefined, /without `folder` or `migrations`: give one of them/],
      [{}, /without `folder` or `migrations`: give one of them/],
      [{ folder: "a", migrations: [A] }, /with both of them: give one of them/],
      [{ folder: "" }, /`folder` as it must be text that is not empty/],
      [{ folder: 7 }, /`folder`/],
      [{ folder: "file:///a/" }, /`folder` as it is the text of a URL: give new URL\(folder\)/],
      [
        { folder: new URL("https://example.org/a/") },
        /`folder` as it is a URL of https:, and only/,
      ],
      [{ migrations: "1_a" }, /`migrations` as it must be a list of \{ name, sql \}: .* is text/],
      [{ migrations: [A, undefined] }, /`migrations\[1\]\.name`/],
      [
        { migrations: [{ sql: "" }] },
        /`migrations\[0\]\.name` as it must be text that is not empty/,
      ],
      [{ migrations: [{ name: "1_a" }] }, /`sql` of 1_a must be text: current value is undefined/],
      [{ migrations: [{ ...A, down: null }] }, /`down` of 1_a must be text: current value is null/],
      [
        { migrations: [{ ...A, donw: "" }] },
        /`donw` as there is no such member of migrations\[0\]: did you mean `down`\?/,
      ],
      [{ migrations: [{ ...A, name: "1_\ud800" }] }, /`migrations\[0\]\.name` as it holds half/],
      [{ migrations: [A, { ...A, sql: "--\ud800" }] }, /`migrations\[1\]\.sql` as it holds half/],
      [{ migrations: [{ ...A, down: "--\ud800" }] }, /`migrations\[0\]\.down` as it holds half/],
      [{ migrations: [A], table: "" }, /`table`/],
      [{ migrations: [A], table: "_rqlite_Commit" }, /`table` as _rqlite_Commit has another use/],
      [{ migrations: [A], table: "sqlite_x" }, /`table` as sqlite_x has another use/],
      [{ migrations: [A], signal: 7 }, /`signal`/],
      [{ migrations: [A], timout: 7 }, /`timout` as there is no such option: .*`timeout`/],
    ];
    for (const [options, message] of wrong) await refused(options, TypeError, message);
    await refused({ migrations: [A], timeout: 0 }, RangeError, /`timeout`/);
    const db = connect("http://localhost:4001");
    const only: [options: unknown, message: RegExp][] = [
      [{ migrations: [A], lock: {} }, /`lock` as it must be a lock/],
      [{ migrations: [A], to: "" }, /`to`/],
      [{ migrations: [A], dryRun: "yes" }, /`dryRun`/],
    ];
    for (const [options, message] of only) {
      await assert.rejects(migrate(db, options as MigrateOptions), { name: "TypeError", message });
      await assert.rejects(status(db, options as MigrateOptions), /as there is no such option/);
    }
  });

  it("names that are none of migrations, and two with one number", async () => {
    for (
      const name of ["users", "a1_users", "1users", "1.5_a", "-1_a", " 1_a", "1_a.down", ".sql"]
    ) {
      await refused(
        { migrations: [A, { ...A, name }] },
        ProgrammingError,
        new RegExp(`^Cannot migrate as ${name} is no migration: name it with a number in front`),
      );
    }
    await refused(
      { migrations: [{ ...A, name: "0001_b.sql" }, { ...A, name: "2_c" }, A] },
      ProgrammingError,
      /^Cannot migrate as (0001_b and 1_a|1_a and 0001_b) have the same number, .*: give one/,
    );
  });

  it("folders with files that are no migrations, before they read one", async () => {
    const notes = ["notes.txt", "README.md", "1_a.sql~", "1_b.SQL", "users.sql"];
    for (const name of notes) {
      await inFolder(
        { "1_a.sql": A.sql, [name]: "" },
        (folder) =>
          refused(
            { folder },
            ProgrammingError,
            new RegExp(`as ${name} is no migration: .* elsewhe`),
          ),
      );
    }
    await inFolder(
      { "1_a.sql": A.sql, "2_b.down.sql": "" },
      (folder) =>
        refused(
          { folder },
          ProgrammingError,
          /there is no 2_b\.sql that 2_b\.down\.sql could take/,
        ),
    );
    await inFolder(
      { "1_a.sql": A.sql, "001_b.sql": "" },
      (folder) =>
        refused({ folder }, ProgrammingError, /001_b and 1_a have the same number|1_a and 001_b/),
    );
    const utf16 = Uint8Array.from([0xff, 0xfe, 0x53, 0]);
    await inFolder(
      { "1_a.sql": utf16 },
      (folder) =>
        refused(
          { folder },
          ProgrammingError,
          /1_a\.sql as it is no text in UTF-8: save it as that/,
        ),
    );
    await inFolder({ "1_a.sql": "" }, async (folder) => {
      mkdirSync(join(folder, "2_b.sql"));
      await refused(
        { folder },
        ProgrammingError,
        /^Cannot read .*2_b\.sql as a part of the migrat/,
      );
    });
    await inFolder({ "1_a.sql": "" }, async (folder) => {
      mkdirSync(join(folder, "meta"));
      await refused({ folder }, ProgrammingError, /as meta is no migration/);
      await refused(
        { folder: join(folder, "1_a.sql") },
        ProgrammingError,
        /^Cannot read .*1_a\.sql/,
      );
      await refused(
        { folder: join(folder, "no") },
        ProgrammingError,
        /^Cannot read .*no as a part/,
      );
      const url = pathToFileURL(join(folder, "no"));
      await refused(
        { folder: url },
        ProgrammingError,
        /^Cannot read file:.*no as a part of the mig/,
      );
    });
  });

  it("a folder where there is no file system", async () => {
    const { getBuiltinModule } = process;
    Object.assign(process, { getBuiltinModule: undefined });
    try {
      await refused(
        { folder: "a" },
        NotSupportedError,
        /no file system here: give the .* `migrations`/,
      );
    } finally {
      Object.assign(process, { getBuiltinModule });
    }
  });

  if (OWN_ENGINE.name === "deno") {
    it("a folder that Deno may not read", () =>
      inFolder({ "1_a.sql": "" }, async (folder) => {
        // What Node's module starts gets all permissions.
        const args = ["run", "--no-prompt", "--no-check", READER, folder];
        const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
        const told = new TextDecoder().decode(stdout);
        assert.match(told, /^ProgrammingError: Cannot read .*read access.*--allow-read/);
      }));
  }
});

describe("migrate() with a folder", () => {
  it("reads paths and URLs, links and what other systems have left", async () => {
    const files = {
      ".DS_Store": "x",
      "0001_first.sql": "\ufeffCREATE TABLE a(n);\r\nINSERT INTO a VALUES('ü');\r\n",
      "0001_first.down.sql": "DROP TABLE a",
      "0002_% #ü.sql": "INSERT INTO a VALUES(2)",
    };
    await inFolder(files, async (folder) => {
      symlinkSync(join(folder, "0002_% #ü.sql"), join(folder, "0003_link.sql"));
      const all = ["0001_first", "0002_% #ü", "0003_link"];
      const url = pathToFileURL(folder);
      const urls = [url, new URL(`${url}/?v=1#a`), new URL(`file:///${url.pathname}`)];
      for (const place of [folder, `${folder}/`, ...urls]) {
        const db = connect(embedded());
        assert.deepEqual((await migrate(db, { folder: place })).applied, all);
        assert.equal(await db.value("SELECT group_concat(n) FROM a"), "ü,2,2");
        const code = [
          { name: "0001_first", sql: "CREATE TABLE a(n);\nINSERT INTO a VALUES('ü');\n" },
          ...all.slice(1).map((name) => ({ name, sql: "INSERT INTO a VALUES(2)" })),
        ];
        assert.deepEqual((await migrate(db, { migrations: code })).applied, []);
        assert.deepEqual((await status(db, { folder: place })).map(({ down }) => down), [
          ...[true, false, false],
        ]);
        await db.close();
      }
      const db = connect(embedded());
      const here = process.cwd();
      process.chdir(join(folder, ".."));
      try {
        const relative = folder.slice(folder.lastIndexOf("/") + 1);
        assert.equal((await migrate(db, { folder: relative })).applied.length, 3);
      } finally {
        process.chdir(here);
      }
      await db.close();
    });
  });

  it("takes an empty folder for no migrations", () =>
    inFolder({ ".gitkeep": "" }, async (folder) => {
      const db = connect(embedded());
      assert.deepEqual(await migrate(db, { folder }), { applied: [], reverted: [] });
      assert.deepEqual(await status(db, { folder }), []);
      await db.close();
    }));
});
