/** Another process on the same file: writes transactions or counts, and tells what was answered. */

import process from "node:process";
import { embedded } from "../../src/embedded/mod.ts";
import { post } from "./post.ts";

const [file = "", task = "", rounds = "0"] = process.argv.slice(2);
const engine = embedded(file);
for (let round = 1; round <= Number(rounds); round++) {
  const id = `${process.pid}-${round}`;
  const statements = task === "count"
    ? ["UPDATE counter SET n = n + 1"]
    : [1, 2, 3].map((part) => ["INSERT INTO parts(id, part) VALUES(?, ?)", id, part]);
  const answer = await post(engine, "/db/execute?transaction", statements);
  if (answer.includes("error")) throw new Error(answer);
  process.stdout.write(`${id}\n`);
}
engine.close();
