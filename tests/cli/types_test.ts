// What `types` writes: the files in `generated/` are compiled with the repository, and used here.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eq } from "drizzle-orm";
import { Kysely } from "kysely";
import { type Client, connect, type IntegerMode, type Row, splitScript, sql } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { drizzle as drizzleV1 } from "../../packages/drizzle-v1/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { schemaTypes } from "../../src/cli/types/schema_types.ts";
import { withServedTypes } from "../../src/cli/types/served_types.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import * as tables from "./generated/drizzle.ts";
import * as tablesV1 from "./generated/drizzle_v1.ts";
import type { DB } from "./generated/kysely.ts";
import type { ProductsInsert, Staff, Users, UsersInsert } from "./generated/plain.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cli } from "./run_cli.ts";
import { openShop, SHOP, shopTypes } from "./shop.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Compiles only where the value's type is exactly `T`. */
function typed<T>() {
  return <V>(value: V, _same: Same<V, T> extends true ? true : never): V => value;
}

const FILL = `
  INSERT INTO constructor VALUES('c', 'p', NULL, 'g', 'u');
  INSERT INTO class VALUES('t', NULL, 3, 4, 5, 'x');
  INSERT INTO date VALUES('2020-01-02');
  INSERT INTO umlauts VALUES('a', 'b');
  INSERT INTO DB DEFAULT VALUES;
  INSERT INTO "order items" VALUES(1, 2, 3.5);
  INSERT INTO "Order-Items"("a ""quoted"" name") VALUES('q');
  INSERT INTO untyped(a, c, d) VALUES(1, 'c-1', '{}'), ('text', 2, jsonb('{"a":1}')), (x'00ff', NULL, NULL), (1.5, 3.5, 7);
  INSERT INTO int_key(id) VALUES(5);
  INSERT INTO events(id, at, extra) VALUES('a', 1, 5), ('b', 2.5, 'x'), ('c', 3, x'00');
  INSERT INTO "table" VALUES('x');
  INSERT INTO text VALUES(1, 'x');
  INSERT INTO search VALUES('a title', 'a body', 7);
  INSERT INTO tag_notes VALUES(1, 'red', 'n');`;

/** Rows for all tables, as the plain types have them. */
async function fill(db: Client): Promise<void> {
  const ada: UsersInsert = { email: "ada@x.y", first_name: "Ada", born: new Date(0) };
  const bob: UsersInsert = {
    ...{ email: "bob@x.y", first_name: "Bob", role: "staff", active: false, balance: 1.5 },
    ...{ photo: new Uint8Array([0, 255]), settings: "[1]", created_at: "2020-01-02" },
  };
  for (const user of [ada, bob]) await db.execute(sql`INSERT INTO users ${sql.insert(user)}`);
  const product: ProductsInsert = { sku: "w", owner: 1, price: 10, tax: 19 };
  await db.insertMany("products", [product]);
  await db.execute("INSERT INTO tags(name) VALUES(:name)", { name: "red" });
  await db.execute("INSERT INTO product_tags(product_id, tag) VALUES(1, 'red')");
  await db.script(FILL);
}

/** Each type and the union of each of its columns, as written in the text of plain types. */
function unionsIn(text: string): Map<string, Map<string, readonly string[]>> {
  const found = new Map<string, Map<string, readonly string[]>>();
  for (
    const [, name, body] of text.matchAll(/^export interface (\S+)(?<!Insert\d?) \{\n(.*?)^\}/gms)
  ) {
    const lines = [...body!.matchAll(/^ {2}("(?:\\.|[^"\\])*"|[^:]+): (.*);$/gm)];
    found.set(
      name!,
      new Map(lines.map(([, key, union]) => {
        return [key!.startsWith('"') ? JSON.parse(key!) : key!, union!.split(" | ")];
      })),
    );
  }
  return found;
}

function isOneOf(value: unknown, union: readonly string[]): boolean {
  const literal = typeof value === "bigint"
    ? `${value}n`
    : typeof value === "string"
    ? JSON.stringify(value)
    : String(value);
  const type = value instanceof Uint8Array ? "Uint8Array" : typeof value;
  return union.includes(type) || union.includes(literal);
}

/** Whether all rows are what the plain types say. */
async function checkRowsOf(db: Client, integers: IntegerMode): Promise<void> {
  const schema = await withServedTypes(db, await inspect(db), {});
  const unions = unionsIn(schemaTypes(schema, { target: "plain", integers, exclude: [] }));
  const sources = [...schema.tables, ...schema.views.filter(({ columns }) => columns.length)];
  assert.equal(unions.size, sources.length);
  for (const [i, [type, columns]] of [...unions].entries()) {
    const select = sql`SELECT * FROM ${sql.id(sources[i]!.name)}`;
    const { rows } = await db.query<Row>(select, [], { integers });
    assert.ok(rows.length > 0, type);
    for (const row of rows) {
      assert.deepEqual(Object.keys(row), [...columns.keys()], type);
      for (const [name, union] of columns) {
        const value = row[name];
        assert.ok(isOneOf(value, union), `${type}.${name}: ${value} is no ${union}`);
      }
    }
  }
}

/** What Drizzle is told by the text: each constant, and the types of its columns. */
function columnsIn(text: string): Map<string, Map<string, readonly string[]>> {
  const found = new Map<string, Map<string, readonly string[]>>();
  for (const [, name, body] of text.matchAll(/^export const (\S+) = sqlite.*?\{\n(.*?)^\}/gms)) {
    const lines = [...body!.matchAll(/^ {2}(\S+): (\w+\(.*),$/gm)];
    found.set(name!, new Map(lines.map(([, key, builder]) => [key!, toldBy(builder!)])));
  }
  return found;
}

function toldBy(builder: string): string[] {
  const nullable = /\.(?:notNull|primaryKey)\(/.test(builder) ? [] : ["null"];
  if (builder.startsWith("anyValue(")) return ["string", "number", "Uint8Array", ...nullable];
  if (builder.includes('mode: "json"')) return ["object", ...nullable];
  if (builder.includes('mode: "boolean"')) return ["boolean", ...nullable];
  if (builder.startsWith("blob(")) return ["Uint8Array", ...nullable];
  const isText = /^text|^numeric\("[^"]*"\)/.test(builder);
  return [isText ? "string" : "number", ...nullable];
}

describe("schemaTypes()", () => {
  let db: Client;
  before(async () => {
    db = await openShop();
    await fill(db);
  });
  after(() => db.close());

  it("the same schema makes the same text, in whatever order it was made", async () => {
    const texts = await shopTypes(db);
    for (const [file, text] of Object.entries(texts)) {
      const written = readFileSync(new URL(`generated/${file}`, import.meta.url), "utf8");
      assert.equal(text, written, `${file}: deno run -A tests/cli/shop.ts writes it anew`);
    }
    const other = connect(embedded());
    const statements = splitScript(SHOP).reverse();
    const isIndex = (text: string) => text.includes("INDEX");
    await other.batch([
      ...statements.filter((text) => !isIndex(text)),
      ...statements.filter(isIndex),
    ]);
    await other.transaction((tx) => tx.execute("INSERT INTO DB DEFAULT VALUES"));
    assert.deepEqual(await shopTypes(other), texts);
    await other.close();
  });

  it("an empty database is a module, too", async () => {
    const empty = connect(embedded());
    const schema = await withServedTypes(empty, await inspect(empty), {});
    for (const target of ["plain", "kysely", "drizzle"] as const) {
      assert.match(schemaTypes(schema, { target, integers: "number", exclude: [] }), /^export /m);
    }
    await empty.close();
  });

  it("plain types are those of the rows and of what may be inserted", async () => {
    const ada: UsersInsert = { email: "ada@x.y", first_name: "Ada" };
    // @ts-expect-error: it is computed.
    const computed: UsersInsert = { ...ada, full_name: "Ada" };
    // @ts-expect-error: the email is missing.
    const missing: UsersInsert = { first_name: "Ada" };
    // @ts-expect-error: the check lets no such role in.
    const unknown: UsersInsert = { ...ada, role: "boss" };
    assert.ok(computed && missing && unknown);

    const [first, second] = (await db.query<Users>("SELECT * FROM users")).rows;
    typed<"customer" | "staff" | "it's me">()(first!.role, true);
    assert.deepEqual([first!.id, first!.active, first!.settings], [1, true, "{}"]);
    assert.deepEqual(second!.photo, new Uint8Array([0, 255]));
    const staff = await db.first<Staff>("SELECT * FROM staff");
    assert.equal(typed<boolean | null>()(staff!.active, true), false);
  });

  for (const integers of ["number", "bigint", "string", "auto"] as const) {
    it(`what a client gives with integers: "${integers}" is what the types say`, async () => {
      await checkRowsOf(db, integers);
    });
  }

  it("types for Kysely say what it reads and takes", async () => {
    const kysely = new Kysely<DB>({ dialect: new RqliteDialect({ client: db }) });
    await kysely.insertInto("users").values({
      ...{ email: "cleo@x.y", first_name: "Cleo", active: true, born: new Date(0) },
    }).execute();
    const user = await kysely.selectFrom("users").selectAll().where("email", "=", "cleo@x.y")
      .executeTakeFirstOrThrow();
    assert.equal(typed<number>()(user.active, true), 1);
    assert.equal(typed<string | null>()(user.full_name, true), "Cleo ");
    assert.equal(typed<string>()(user.created_at, true).length, 20);
    await kysely.updateTable("users").set({ role: "it's me" }).where("id", "=", user.id).execute();
    await kysely.insertInto("order items").values({ "unit price": 1 }).execute();
    await kysely.insertInto("constructor").values({ constructor: "c", ["__proto__"]: "x" })
      .execute();
    const { n } = await kysely.selectFrom("sums").select("n").where("role", "=", "it's me")
      .executeTakeFirstOrThrow();
    assert.equal(typed<number | string | Uint8Array | null>()(n, true), 1);
    // @ts-expect-error: it is computed.
    kysely.insertInto("users").values({ email: "a", first_name: "b", full_name: "c" });
    // @ts-expect-error: nothing can be written to a view.
    kysely.updateTable("staff").set({ email: "x" });
    // @ts-expect-error: the key is missing.
    kysely.insertInto("events").values({ at: 1 });
  });

  it("tables for Drizzle say what it reads and takes", async () => {
    const orm = drizzle(db);
    const { users, staff, untyped, orderItems2 } = tables;
    const [inserted] = await orm.insert(users).values({
      ...{ email: "dan@x.y", firstName: "Dan", active: false, settings: { theme: "dark" } },
    }).returning();
    typed<string | null>()(inserted!.fullName, true);
    typed<"customer" | "staff" | "it's me">()(inserted!.role, true);
    assert.deepEqual(
      [inserted!.fullName, inserted!.role, inserted!.active, inserted!.rating, inserted!.settings],
      ["Dan ", "customer", false, 2.5, { theme: "dark" }],
    );
    assert.ok(inserted!.createdAt > "2026" && inserted!.seenAt > "2026");
    await orm.update(users).set({ balance: 2.5 }).where(eq(users.id, inserted!.id));
    await orm.insert(untyped).values({ a: 2n ** 60n });
    await orm.insert(orderItems2).values({ unitPrice: 1 });
    typed<{ active: boolean | null }[]>()(
      await orm.select({ active: staff.active }).from(staff),
      true,
    );
    await checkRows(tables, (table) => orm.select().from(table as typeof users));
    // @ts-expect-error: it is computed.
    orm.insert(users).values({ email: "a", firstName: "b", fullName: "c" });
    // @ts-expect-error: nothing can be written to a view.
    assert.throws(() => orm.insert(staff).values({ email: "x" }).toSQL());
    // @ts-expect-error: the key is missing.
    orm.insert(tables.intKey).values({ at: "2020" });
  });

  it("tables for Drizzle are those of Drizzle 1.0, too", async () => {
    const orm = drizzleV1({ client: db });
    const { users } = tablesV1;
    const [inserted] = await orm.insert(users).values({ email: "eve@x.y", firstName: "Eve" })
      .returning();
    assert.equal(typed<boolean>()(inserted!.active, true), true);
    await checkRows(tablesV1, (table) => orm.select().from(table as typeof users));
    // @ts-expect-error: it is computed.
    orm.insert(users).values({ email: "a", firstName: "b", fullName: "c" });
  });

  async function checkRows(
    named: Readonly<Record<string, unknown>>,
    read: (table: unknown) => PromiseLike<Readonly<Record<string, unknown>>[]>,
  ): Promise<void> {
    const columns = columnsIn((await shopTypes(db))["drizzle.ts"]!);
    assert.deepEqual([...columns.keys()].sort(), Object.keys(named).sort());
    for (const [name, told] of columns) {
      const rows = await read(named[name]);
      assert.ok(rows.length > 0, name);
      for (const row of rows) {
        assert.deepEqual(Object.keys(row), [...told.keys()], name);
        for (const [key, types] of told) {
          const isLong = typeof row[key] === "bigint" && types.includes("Uint8Array");
          assert.ok(
            isLong || isOneOf(row[key], types),
            `${name}.${key}: ${row[key]} is no ${types}`,
          );
        }
      }
    }
  }
});

describe("schemaTypes() of a server", { skip: skipWithoutRqlited() }, () => {
  it("is the same text, and its rows are what that says", async () => {
    const server = await startRqlited();
    const db = connect(server.url);
    try {
      await db.script(SHOP);
      await fill(db);
      const { "plain.ts": plain } = await shopTypes(db);
      assert.equal(plain, readFileSync(new URL("generated/plain.ts", import.meta.url), "utf8"));
      await checkRowsOf(db, "bigint");
    } finally {
      await db.close();
      await server.stop();
    }
  });
});

describe("types", () => {
  const folder = mkdtempSync(join(tmpdir(), "cli-types-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "shop.db");
  const file = join(folder, "rows.ts");
  const types = (...args: string[]) => cli(["types", "--url", path, ...args]);
  before(async () => {
    const db = connect(embedded(path));
    await db.script("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT NOT NULL)");
    await db.script("CREATE TABLE rqlite_migrations(name TEXT); CREATE TABLE drafts(body)");
    await db.close();
  });

  it("writes to standard output, for plain use where nothing else is said", async () => {
    const { code, stdout } = await types("--integers", "auto", "--exclude", "drafts");
    assert.deepEqual([code, stdout.split("\n\n").slice(1).join("\n\n")], [
      0,
      "export interface Notes {\n  id: bigint | number;\n  body: string;\n}\n\n" +
      "export interface NotesInsert {\n  id?: bigint | number;\n  body: string;\n}\n",
    ]);
    assert.match(stdout, /types --for plain --integers auto --exclude drafts --out/);
  });

  it("writes a file whole, and leaves one alone that has the text already", async () => {
    const kysely = ["--for", "kysely", "--out", file];
    assert.equal((await types(...kysely)).stdout, `✓ ${file}: written\n`);
    const text = (await types("--for", "kysely")).stdout;
    assert.equal(readFileSync(file, "utf8"), text);
    const { ino } = statSync(file);
    assert.equal((await types(...kysely)).stdout, `✓ ${file}: as it was\n`);
    assert.equal(statSync(file).ino, ino);
    const { stdout } = await types(...kysely, "--json");
    assert.deepEqual(JSON.parse(stdout), { file, changed: false });
    assert.deepEqual(readdirSync(folder).sort(), ["rows.ts", "shop.db"]);
  });

  it("--check fails where the file is another, and writes nothing", async () => {
    assert.equal((await types("--for", "kysely", "--out", file, "--check")).code, 0);
    const before = readFileSync(file, "utf8");
    const { code, stderr } = await types("--for", "drizzle", "--out", file, "--check");
    assert.equal(code, 1);
    assert.match(stderr, /rows\.ts is not what the schema makes: without --check it is written/);
    assert.equal(readFileSync(file, "utf8"), before);
    assert.equal((await types("--out", join(folder, "none.ts"), "--check")).code, 1);
  });

  it("refuses what it does not know, and says what there is", async () => {
    const cases: [string[], RegExp][] = [
      [["--for", "prisma"], /--for prisma: it is one of plain, kysely, drizzle/],
      [["--integers", "big"], /--integers big: it is one of number, bigint, string, auto/],
      [["--for", "drizzle", "--integers", "bigint"], /--integers with Drizzle/],
      [["--exclude", "nothing"], /--exclude nothing as there is no such table or view/],
      [["--check"], /--check without --out FILE/],
      [["--json"], /--json without --out FILE/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await types(...args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, message);
    }
    const { code } = await types("--out", join(folder, "no", "such.ts"));
    assert.equal(code, 1);
  });
});
