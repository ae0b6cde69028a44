// A feed behind real servers, configured by cdcConfig(); these have CDC from 9.0 on.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { type Change, changeFeed, live } from "../../src/cdc/mod.ts";
import { startCluster } from "../support/cluster.ts";
import { until } from "../support/http.ts";
import { type Rqlited, startRqlited } from "../support/rqlited.ts";
import { skipWithoutCdc, startPosting } from "./posts.ts";
import { SCHEMA, writeEverything } from "./world.ts";

describe("changeFeed() behind a server", { skip: skipWithoutCdc() }, () => {
  it("takes what it sends with every setting, while the consumer fails now and then", async () => {
    const taken: Change[] = [];
    const feed = changeFeed({ secret: "s/e c%ret ü", serviceId: "shop", timeout: 300 });
    const { server, stop } = await startPosting(startRqlited, feed, {
      path: "/changes?a=b",
      secret: "s/e c%ret ü",
      serviceId: "shop",
      tables: ["TODOS", "kinds", "a.b|c"],
      batchSize: 3,
      batchDelay: 20,
      timeout: 1000,
      backoff: 20,
      maxBackoff: 100,
      watermarkInterval: 100,
      tls: { rejectUnauthorized: false },
    });
    const db = connect(server.url);
    try {
      await db.batch([...SCHEMA, 'CREATE TABLE "a.b|c"(x)']);
      await writeEverything(db);
      await db.execute('INSERT INTO "a.b|c" VALUES(1)');
      let fails = 5;
      const consume = async (): Promise<void> => {
        for await (const change of feed) {
          if (fails-- > 0 && fails % 2 === 0) throw new Error("now and then");
          taken.push(change);
          if (change.table === "a.b|c") return;
        }
      };
      while (taken.at(-1)?.table !== "a.b|c") await consume().catch(() => {});
    } finally {
      feed.close();
      await db.close();
      await stop();
    }
    assert.deepEqual(taken.map(({ op, table }) => `${op} ${table}`), [
      ...["insert todos", "update todos", "delete todos"],
      ...["insert kinds", "insert kinds", "insert kinds"],
      ...["insert todos", "update todos", "insert a.b|c"],
    ]);
  });

  it("gives each change once and in order while leaders die, and live() shows the last of them", async () => {
    const taken: number[] = [];
    const feed = changeFeed({ secret: "x" });
    const start = (flags: { args: readonly string[] }) => startCluster(3, flags);
    const { server: cluster, stop } = await startPosting(start, feed, {
      secret: "x",
      batchDelay: 10,
      backoff: 50,
      watermarkInterval: 200,
    });
    const db = connect(cluster.urls);
    try {
      const consumed = (async () => {
        for await (const { after } of feed) taken.push(Number(after?.n));
      })();
      await db.execute("CREATE TABLE t(n INTEGER PRIMARY KEY)");
      const rows = live<{ most: number }>(db, "SELECT max(n) AS most FROM t", [], { feed });
      let shown = 0;
      const showing = (async () => {
        for await (const [row] of rows) shown = row?.most ?? 0;
      })();
      let dead: Rqlited | undefined;
      for (let n = 1; n <= 90; n++) {
        await db.execute("INSERT INTO t VALUES(?)", [n]);
        if (n === 40) await (dead = await cluster.leader()).kill();
        if (n === 60) await dead!.restart();
        if (n === 80) await (await cluster.leader()).kill();
      }
      await until(
        "last change",
        () => Promise.resolve(shown === 90 && taken.length >= 90 || undefined),
      );
      feed.close();
      await Promise.all([consumed, showing]);
    } finally {
      feed.close();
      await db.close();
      await stop();
    }
    assert.deepEqual(taken, Array.from({ length: 90 }, (_, i) => i + 1));
  });
});
