// Records what a real server posts, for where there is none: RQLITED_BIN=… deno run -A tests/cdc/record.ts
import { writeFileSync } from "node:fs";
import { connect } from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { startPosts } from "./posts.ts";
import { SCHEMA, writeEverything } from "./world.ts";

const posts = await startPosts({ serviceId: "shop", secret: "s/e c%ret" });
const db = connect(posts.server.url);
await db.batch(SCHEMA);
await writeEverything(db);
await posts.server.kill();
posts.server.spawn();
await posts.server.ready();
await db.execute("INSERT INTO todos(title) VALUES('after a restart')");
await posts.until((bodies) => bodies.some((body) => body.includes("after a restart")));
await sleep(500);
const requests = posts.requests.map(({ headers, body }) => ({ headers, body }));
const file = new URL("../fixtures/cdc.json", import.meta.url);
writeFileSync(
  file,
  `${JSON.stringify({ server: posts.server.binary.version, requests }, undefined, 1)}\n`,
);
await db.close();
await posts.stop();
