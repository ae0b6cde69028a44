import process from "node:process";
import type { Logger } from "drizzle-orm/logger";
import type { Client } from "../../mod.ts";
import { drizzle, type RqliteDatabase } from "../../packages/drizzle/mod.ts";
import type { FaultyNetwork } from "../support/faulty_network.ts";
import { PLACES } from "../transaction/world.ts";
import * as schema from "./schema.ts";

type Schema = typeof schema;

/** A database with the tables of the schema, and what travels to it. */
export interface DrizzleWorld {
  readonly db: RqliteDatabase<Schema, Client>;
  /** Another client of the same database. */
  readonly other: RqliteDatabase<Schema, Client>;
  readonly network: FaultyNetwork;
  /** What was logged. */
  readonly logged: string[];
}

/** Somewhere to run a test. */
export interface DrizzlePlace {
  readonly name: string;
  readonly skip: string | false;
  run(body: (world: DrizzleWorld) => Promise<void>): Promise<void>;
}

/** Where tests of another version of Drizzle run, to which servers make no difference. */
const ONLY = process.env.DRIZZLE_PLACE;

/** The embedded engine and, where there is one, a server; both enforce foreign keys. */
export const DRIZZLE_PLACES: readonly DrizzlePlace[] = PLACES.filter(({ name }) =>
  ONLY === undefined || name === ONLY
).map(({ name, skip, run }) => ({
  name,
  skip,
  run: (body) =>
    run(async ({ db: client, other, network }) => {
      const logged: string[] = [];
      const logger: Logger = { logQuery: (query) => void logged.push(query) };
      const db = drizzle(client, { schema, logger });
      for (const statement of schema.CREATE) await db.run(statement);
      logged.length = 0;
      await body({ db, other: drizzle(other, { schema }), network, logged });
    }),
}));
