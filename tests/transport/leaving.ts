/** Another process: reads once from a node whose `/nodes` is silent, and does not close its client. */

import process from "node:process";
import { connect } from "../../mod.ts";

await connect(process.argv[2], { discover: true, level: "weak" }).query("SELECT 1");
