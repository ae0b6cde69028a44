import { describe, it } from "node:test";
import { assertTold, runExample } from "./run_example.ts";

describe("examples/migrate.ts", () => {
  it("applies each file once, takes one back and refuses what was edited", async () => {
    assertTold(await runExample("migrate.ts"), [
      "Pending: 0001_books, 0002_loans",
      "Applied: 0001_books 1 time, 0002_loans 1 time",
      'Lent: {"title":"Kindred","reader":"Ada"}',
      "Taken back: 0002_loans",
      "0002_loans   pending",
      "ProgrammingError: Cannot migrate as 0001_books was edited",
    ]);
  });
});
