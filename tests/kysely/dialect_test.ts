import process from "node:process";
import { after, before, describe } from "node:test";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { batches } from "./batches.ts";
import { errors } from "./errors.ts";
import { instances } from "./instances.ts";
import { introspection } from "./introspection.ts";
import { migrations } from "./migrations.ts";
import { misuse } from "./misuse.ts";
import { queries } from "./queries.ts";
import { results } from "./results.ts";
import { openEmbedded, openRqlited, type Target, type Topic } from "./target.ts";
import { transactionOptions } from "./transaction_options.ts";
import { transactions } from "./transactions.ts";
import { values } from "./values.ts";
import { writes } from "./writes.ts";

const TOPICS: Readonly<Record<string, Topic>> = {
  queries,
  writes,
  results,
  values,
  errors,
  transactions,
  "options of transactions": transactionOptions,
  misuse,
  batches,
  migrations,
  introspection,
  instances,
};

function dialectSuite(name: string, open: () => Promise<Target>, skip: string | false): void {
  describe(`RqliteDialect on ${name}`, { skip }, () => {
    let opened: Target | undefined;
    before(async () => {
      opened = await open();
    });
    after(() => opened?.close());
    for (const [topic, tests] of Object.entries(TOPICS)) {
      describe(topic, () => tests(() => opened!));
    }
  });
}

dialectSuite("the embedded engine", openEmbedded, false);
const { KYSELY_TARGET } = process.env;
const skip = KYSELY_TARGET === "embedded" ? "not wanted" : skipWithoutRqlited();
dialectSuite("rqlited", openRqlited, skip);
