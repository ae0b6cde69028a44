/** A feed that lives as long as its request, as docs/cdc.md advises for Workers, and a live query. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { type Change, changeFeed, live } from "../../src/cdc/mod.ts";
import { PLACES } from "../transaction/world.ts";

it("changeFeed() takes one request, and live() follows it", () =>
  PLACES[0]!.run(async ({ db }) => {
    await db.execute("CREATE TABLE files(id INTEGER PRIMARY KEY, content BLOB)");
    const feed = changeFeed({ secret: "s3cret", client: db });
    const taken: Change[] = [];
    const consumer = (async () => {
      for await (const change of feed) taken.push(change);
    })();
    const rows = live(db, "SELECT id FROM files", [], { feed })[Symbol.asyncIterator]();
    assert.deepEqual((await rows.next()).value, []);
    await db.execute("INSERT INTO files VALUES(1, x'00ff')");
    const again = rows.next();
    const body = `{"node_id":"1","payload":[{"index":9,"events":[{"op":"INSERT","table":"files",
      "new_row_id":1,"after":{"content":"AP8=","id":1}}]}]}`;
    const headers = {
      "content-type": "application/json",
      authorization: `Basic ${btoa("rqlite:s3cret")}`,
    };
    const answer = await feed(new Request("http://app/", { method: "POST", headers, body }));
    assert.equal(answer.status, 200);
    assert.deepEqual((await again).value, [{ id: 1 }]);
    feed.close();
    await consumer;
    assert.deepEqual(taken.map(({ after }) => after), [{
      id: 1,
      content: new Uint8Array([0, 255]),
    }]);
    assert.equal((await rows.next()).done, true);
    const stream = live(db, "SELECT id FROM files", [], { feed: { listen: () => () => {} } });
    const reader = stream.response().body!.getReader();
    const { value } = await reader.read();
    assert.equal(new TextDecoder().decode(value), 'data: [{"id":1}]\n\n');
    await reader.cancel();
  }));
