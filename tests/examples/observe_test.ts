import { describe, it } from "node:test";
import { assertTold, runExample } from "./run_example.ts";

const STORY = [
  "The log",
  "✓ rqlite script ",
  "✓ rqlite value ",
  "1 row: SELECT n FROM demo_stock WHERE name = ?",
  "✓ rqlite commit ",
  "failed: IntegrityError: CHECK constraint failed",
  "The spans",
  "✓ transaction ",
  "✓   UPDATE demo_stock",
  "✓   commit ",
  "✓ transaction ",
  "✓   UPDATE demo_stock (SQLITE_CONSTRAINT_CHECK)",
];

describe("examples/observe.ts", () => {
  it("shows what a program asks its database for", async () => {
    assertTold(await runExample("observe.ts"), STORY);
  });
});
