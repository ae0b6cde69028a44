import type { Logger } from "drizzle-orm-v1/logger";
import type { Client } from "../../mod.ts";
import { drizzle, type RqliteDatabase } from "../../packages/drizzle-v1/mod.ts";
import type { FaultyNetwork } from "../support/faulty_network.ts";
import { PLACES } from "../transaction/world.ts";
import { CREATE, relations } from "./schema.ts";

type Relations = typeof relations;

/** A database with the tables of the schema, and what travels to it. */
export interface DrizzleWorld {
  readonly db: RqliteDatabase<Relations, Client>;
  /** Another client of the same database. */
  readonly other: RqliteDatabase<Relations, Client>;
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

/** The embedded engine and, where there is one, a server; both enforce foreign keys. */
export const DRIZZLE_PLACES: readonly DrizzlePlace[] = PLACES.map(({ name, skip, run }) => ({
  name,
  skip,
  run: (body) =>
    run(async ({ db: client, other, network }) => {
      const logged: string[] = [];
      const logger: Logger = { logQuery: (query) => void logged.push(query) };
      const db = drizzle(client, { relations, logger });
      for (const statement of CREATE) await db.run(statement);
      logged.length = 0;
      await body({ db, other: drizzle(other, { relations }), network, logged });
    }),
}));
