// What the engine has a part in, over the transport by which other engines are asked everything: rqlited_test.ts and
// node_fetch_test.ts.
import { OWN_ENGINE } from "../support/engines.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { engineSuite } from "./executor_suite.ts";
import { openOverNode, openRqlited } from "./open_rqlited.ts";

if (OWN_ENGINE.name === "node") engineSuite("rqlited", openRqlited, skipWithoutRqlited());
else engineSuite("rqlited over nodeFetch()", openOverNode, skipWithoutRqlited());
