import { connect } from "../../mod.ts";
import { features } from "../support/features.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { executorSuite } from "./executor_suite.ts";
import type { Open } from "./target.ts";

const openRqlited: Open = async ({ foreignKeys }) => {
  const server = await startRqlited(foreignKeys ? { args: ["-fk"] } : {});
  const { linearizable } = await features(server.url);
  return {
    db: connect(server.url),
    url: server.url,
    fetch: globalThis.fetch,
    linearizable,
    close: () => server.stop(),
  };
};

executorSuite("rqlited", openRqlited, { skip: skipWithoutRqlited() });
