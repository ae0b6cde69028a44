/** Another process that locks a file, says so, and lets go when its input ends. */

import process from "node:process";
import { DatabaseSync } from "node:sqlite";

const [file = "", lock = "IMMEDIATE"] = process.argv.slice(2);
const database = new DatabaseSync(file, { timeout: 10_000 });
database.exec(`BEGIN ${lock}`);
process.stdout.write("locked\n");
process.stdin.resume();
process.stdin.on("end", () => {
  database.exec("COMMIT");
  database.close();
});
