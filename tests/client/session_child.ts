// Goes on with a session of another process: says what it reads, writes a row, and says its bookmark.
import process from "node:process";
import { connect } from "../../mod.ts";
import { nearNode } from "./near_node.ts";

const [urls, near, bookmark] = process.argv.slice(2) as [string, string, string];
const db = connect(urls.split(","), { fetch: nearNode(near) });
const session = db.session(bookmark);
const { rows } = await session.query("SELECT v FROM t ORDER BY v", [], { rows: "array" });
await session.execute("INSERT INTO t VALUES(?)", [1000]);
process.stdout.write(JSON.stringify({ read: rows.flat(), bookmark: session.bookmark }));
await db.close();
