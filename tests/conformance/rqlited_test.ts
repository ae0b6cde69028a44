import { skipWithoutRqlited } from "../support/rqlited.ts";
import { executorSuite } from "./executor_suite.ts";
import { openRqlited } from "./open_rqlited.ts";

executorSuite("rqlited", openRqlited, skipWithoutRqlited());
