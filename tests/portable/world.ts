/** `tests/transaction/world.ts` where no server can be started: one node, emptied for each test. */
import { type Client, connect } from "../../mod.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import type { Place, World } from "../transaction/world.ts";
import { environment } from "./environment.ts";

export type { Place, World } from "../transaction/world.ts";

/** Some engines refuse a `fetch` that is called as a member. */
const plainFetch: typeof fetch = (input, init) => fetch(input, init);

async function clear(db: Client): Promise<void> {
  const { rows } = await db.query<{ type: string; name: string }>(
    "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'",
    [],
    { level: "strong" },
  );
  const drops = rows.map(({ type, name }) => `DROP ${type} "${name}"`);
  if (drops.length > 0) await db.batch(["PRAGMA defer_foreign_keys = 1", ...drops]);
}

const onServer: Place = {
  name: "rqlited",
  skip: false,
  run: async (body) => {
    const { foreignKeysUrl: url } = environment();
    const network = new FaultyNetwork(plainFetch);
    const other = connect(url);
    await clear(other);
    const world: World = {
      db: connect(url, { fetch: network.fetch as typeof fetch, retries: 0 }),
      network,
      node: plainFetch,
      other,
      connect: (options) => connect(url, options),
      sql: (text) => other.execute(text),
      value: async (text) => {
        const { rows } = await other.query<unknown[]>(text, [], { rows: "array" });
        return rows[0]?.[0];
      },
    };
    await body(world);
  },
};

export const PLACES: readonly Place[] = [onServer];
