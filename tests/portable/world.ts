/** `tests/transaction/world.ts` where no server can be started: one node, emptied for each test. */
import { connect } from "../../mod.ts";
import { clear } from "../support/clear.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import type { Place, World } from "../transaction/world.ts";
import { environment } from "./environment.ts";

export type { Place, World } from "../transaction/world.ts";

/** Some engines refuse a `fetch` that is called as a member. */
const plainFetch: typeof fetch = (input, init) => fetch(input, init);

const onServer: Place = {
  name: "rqlited",
  skip: false,
  run: async (body) => {
    const { foreignKeysUrl: url } = environment();
    const network = new FaultyNetwork(plainFetch);
    const other = connect(url);
    await clear(other, false);
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
