import { connect } from "../../mod.ts";
import { nodeFetch } from "../../src/node/mod.ts";
import { features } from "../support/features.ts";
import { startRqlited } from "../support/rqlited.ts";
import type { Open, Target } from "./target.ts";

/** Over the `fetch` of the engine. */
export const openRqlited: Open = ({ foreignKeys }) => open(foreignKeys, globalThis.fetch);

/** Over the other transport that there is for Node, Bun and Deno. */
export const openOverNode: Open = ({ foreignKeys }) => {
  const transport = nodeFetch();
  return open(foreignKeys, transport, transport.close);
};

async function open(
  foreignKeys: boolean,
  fetch: typeof globalThis.fetch,
  close: () => void = () => {},
): Promise<Target> {
  const server = await startRqlited(foreignKeys ? { args: ["-fk"] } : {});
  const { linearizable } = await features(server.url);
  return {
    db: connect(server.url, { fetch, close }),
    url: server.url,
    fetch,
    linearizable,
    close: async () => {
      close();
      await server.stop();
    },
  };
}
