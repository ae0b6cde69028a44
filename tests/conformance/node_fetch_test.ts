import { skipWithoutRqlited } from "../support/rqlited.ts";
import { executorSuite } from "./executor_suite.ts";
import { openOverNode } from "./open_rqlited.ts";

executorSuite("rqlited over nodeFetch()", openOverNode, skipWithoutRqlited());
