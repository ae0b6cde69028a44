/** Every test that needs nothing but `fetch` and a server, as one module for engines that run no files. */

import { connect } from "../../mod.ts";
import { executorSuite } from "../conformance/executor_suite.ts";
import "../transaction/anomalies_test.ts";
import "../transaction/transaction_test.ts";
import "../transport/blocked_port_test.ts";
import "./changes.ts";
import { environment } from "./environment.ts";
import "./migrations.ts";

export { runAll } from "./node_test.ts";

executorSuite("rqlited", ({ foreignKeys }) => {
  const { linearizable, ...urls } = environment();
  const url = foreignKeys ? urls.foreignKeysUrl : urls.url;
  return Promise.resolve({
    db: connect(url),
    url,
    fetch: (input, init) => fetch(input, init),
    linearizable,
    close: () => Promise.resolve(),
  });
});
