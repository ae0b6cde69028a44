/** Another process: says why a folder cannot be migrated. */

import process from "node:process";
import { connect } from "../../mod.ts";
import { migrate } from "../../src/migrate/mod.ts";

const [folder = ""] = process.argv.slice(2);
const error: unknown = await migrate(connect(), { folder }).catch((error) => error);
process.stdout.write(`${error}\n`);
