/** Another process: migrates when it is told to, says what it applied, or is killed meanwhile. */

import process from "node:process";
import { connect } from "../../mod.ts";
import { migrate, type MigrateOptions } from "../../src/migrate/mod.ts";
import { OPEN } from "./open_lock.ts";

const [url = "", folder = "", how = ""] = process.argv.slice(2);
const db = connect(url);
const options: MigrateOptions = { folder, ...(how === "open" && { lock: OPEN }) };
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.destroy();
const { applied } = await migrate(db, options);
process.stdout.write(`${JSON.stringify(applied)}\n`);
await db.close();
