import { describe, it } from "node:test";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { assertTold, runExample } from "./run_example.ts";

const STORY = ["Backup and restore", "✓ Loaded ", "Row by row", "✓ demo_songs: 2 rows, equal"];

describe("examples/backup.ts", () => {
  it("restores a backup in another database", async () => {
    assertTold(await runExample("backup.ts"), STORY);
  });

  it("does so between two servers", { skip: skipWithoutRqlited() }, async () => {
    const [from, to] = await Promise.all([startRqlited(), startRqlited()]);
    try {
      assertTold(await runExample("backup.ts", `--from=${from.url}`, `--to=${to.url}`), STORY);
    } finally {
      await Promise.all([from.stop(), to.stop()]);
    }
  });
});
