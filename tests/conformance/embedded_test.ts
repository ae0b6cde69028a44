import { executorSuite } from "./executor_suite.ts";
import { openEmbedded } from "./open_embedded.ts";

executorSuite(
  "embedded() in memory",
  ({ foreignKeys }) => Promise.resolve(openEmbedded(":memory:", foreignKeys)),
);
