// Drivers with another version of their ORM than those that they are for, and with two copies of it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type ChildEngine, childEngines, OWN_ENGINE } from "../support/engines.ts";
import { makeWorkshop, type WorkshopParts } from "../support/workshop.ts";

const VERSIONS = fileURLToPath(new URL("./versions/node_modules/.deno/", import.meta.url));
const OURS = fileURLToPath(new URL("../../node_modules/.deno/", import.meta.url));

/** The folder of a package in a version that is installed for this, or for the driver. */
function installed(name: string, version: string): string {
  const inside = `${name.replace("/", "+")}@${version}/node_modules/${name}`;
  return [VERSIONS, OURS].map((place) => place + inside).find((path) => existsSync(path)) ?? inside;
}

const kysely = (version: string) => ({ kysely: installed("kysely", version) });
const drizzle = (version: string) => ({ "drizzle-orm": installed("drizzle-orm", version) });

/** Prints what came of a body: `ok`, or an error's class and message. */
function program(imports: string, body: string): string {
  return `
    async function attempt() {
      ${imports}
      const { connect } = await import("@tangled/rqlite");
      const { embedded } = await import("@tangled/rqlite/embedded");
      const client = connect(embedded());
      await client.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, seen INTEGER NOT NULL)");
      ${body}
      return "ok";
    }
    const told = await attempt().catch((error) => \`\${error.name}: \${error.message}\`);
    console.log(told.replaceAll("\\n", " "));
  `;
}

const USE_KYSELY = program(
  `
    const { Kysely } = await import("kysely");
    const { RqliteDialect } = await import("@tangled/rqlite-kysely");
  `,
  `
    const db = new Kysely({ dialect: new RqliteDialect({ client }) });
    await db.insertInto("users").values({ id: 1, seen: 0 }).execute();
    const rows = await db.selectFrom("users").selectAll().execute();
    if (JSON.stringify(rows) !== '[{"id":1,"seen":0}]') return "raw: " + JSON.stringify(rows);
  `,
);

function useDrizzle(driver: string): string {
  return program(
    `
      const { integer, sqliteTable } = await import("drizzle-orm/sqlite-core");
      const { drizzle } = await import("@tangled/rqlite-${driver}");
    `,
    `
      const users = sqliteTable("users", {
        id: integer("id").primaryKey(),
        seen: integer("seen", { mode: "timestamp" }).notNull(),
      });
      const db = drizzle(client);
      await db.insert(users).values({ id: 1, seen: new Date(5000) });
      const [row] = await db.select().from(users);
      if (!(row.seen instanceof Date) || row.seen.getTime() !== 5000) return "raw: " + JSON.stringify(row);
      if (await client.value("SELECT seen FROM users") !== 5) return "stored wrongly";
    `,
  );
}

/** As a client of Prisma 6.5 asks, and one of 5, which takes the factory for the adapter. */
const USE_PRISMA = program(
  `const { PrismaRqlite } = await import("@tangled/rqlite-prisma");`,
  `
    const factory = new PrismaRqlite({ client });
    const adapter = await factory.connect();
    const query = { sql: "INSERT INTO users VALUES (?, ?)", args: [1, 0], argTypes: ["Int32", "Int32"] };
    const told = await adapter.executeRaw(query).catch((error) => error);
    if (await client.value("SELECT count(*) FROM users") !== 0) return "written";
    try {
      factory.queryRaw(query);
    } catch (error) {
      if (error.message !== told.message) throw error;
    }
    throw told;
  `,
);

interface Trial extends WorkshopParts {
  readonly name: string;
  readonly program: string;
  readonly expected: RegExp;
}

const OLD_KYSELY = /^NotSupportedError: Cannot use .*Kysely.*0\.28, 0\.29 or 0\.30/;
const NOT_045 = /^NotSupportedError: Cannot use .*drizzle-orm 0\.44, from 0\.44\.5 on, and 0\.45/;
const NOT_V1 = /^NotSupportedError: Cannot (?:use|read) .*from 1\.0\.0-rc\.5 on/;

const NOT_PRISMA_7 = /^NotSupportedError: Cannot .*npm install prisma@7 @prisma\/client@7/;

const WRONG: readonly Trial[] = [
  {
    name: "a client of Prisma 5 or 6.5",
    driver: "prisma",
    user: { "@prisma/driver-adapter-utils": installed("@prisma/driver-adapter-utils", "7.10.1") },
    program: USE_PRISMA,
    expected: NOT_PRISMA_7,
  },
  {
    name: "kysely 0.27",
    driver: "kysely",
    user: kysely("0.27.6"),
    program: USE_KYSELY,
    expected: OLD_KYSELY,
  },
  ...["0.43.1", "1.0.0-rc.4", "1.0.0-rc.5"].map((version): Trial => ({
    name: `drizzle-orm ${version}`,
    driver: "drizzle",
    user: drizzle(version),
    program: useDrizzle("drizzle"),
    expected: NOT_045,
  })),
  ...["0.43.1", "0.45.4", "1.0.0-rc.4", "1.0.0-rc.5-ab785fc"].map((version): Trial => ({
    name: `drizzle-orm ${version}`,
    driver: "drizzle-v1",
    user: drizzle(version),
    program: useDrizzle("drizzle-v1"),
    expected: NOT_V1,
  })),
];

const RIGHT = /^ok$/;
const TWICE: readonly Trial[] = [
  {
    name: "kysely 0.27 of the user's",
    driver: "kysely",
    user: kysely("0.27.6"),
    own: kysely("0.29.9"),
    program: USE_KYSELY,
    expected: OLD_KYSELY,
  },
  {
    name: "drizzle-orm 0.44 of the user's beside 0.45",
    driver: "drizzle",
    user: drizzle("0.44.7"),
    own: drizzle("0.45.4"),
    program: useDrizzle("drizzle"),
    expected: RIGHT,
  },
  {
    name: "drizzle-orm 1.0 of the user's beside 0.45",
    driver: "drizzle",
    user: drizzle("1.0.0-rc.5"),
    own: drizzle("0.45.4"),
    program: useDrizzle("drizzle"),
    expected: NOT_045,
  },
  {
    name: "drizzle-orm 0.45 of the user's beside 1.0",
    driver: "drizzle-v1",
    user: drizzle("0.45.4"),
    own: drizzle("1.0.0-rc.5"),
    program: useDrizzle("drizzle-v1"),
    expected: NOT_V1,
  },
  {
    name: "a second drizzle-orm 1.0",
    driver: "drizzle-v1",
    user: drizzle("1.0.0-rc.5"),
    own: drizzle("1.0.0-rc.5"),
    apart: true,
    program: useDrizzle("drizzle-v1"),
    expected: RIGHT,
  },
];

const skip = existsSync(VERSIONS) || process.env.CI
  ? false
  : "deno install --frozen in tests/integration/versions";

function trials(list: readonly Trial[], says: string, engines: readonly ChildEngine[]): void {
  for (const trial of list) {
    it(`@tangled/rqlite-${trial.driver} ${says} ${trial.name}`, { skip }, async () => {
      const workshop = makeWorkshop(trial);
      try {
        for (const engine of engines) {
          const { code, output } = await workshop.run(engine, trial.program);
          assert.match(output.trim(), trial.expected, engine.name);
          assert.equal(code, 0, engine.name);
        }
      } finally {
        workshop.remove();
      }
    });
  }
}

// What is missing is missed in different ways.
describe("a version of an ORM that a driver is not for", () => {
  trials(WRONG, "refuses", childEngines());
});

describe("two copies of an ORM", () => {
  trials(TWICE, "answers rightly or refuses:", [OWN_ENGINE]);
});
