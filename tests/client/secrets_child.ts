/** Fails with an error that nobody catches, or prints what it has; the secret is in the environment. */

import process from "node:process";
import { connect } from "../../mod.ts";

const { SECRET = "" } = process.env;
const calls: (() => unknown)[] = [
  () => connect(`http://user:${SECRET}@ho st`),
  () => connect({ headers: { authorization: `Bearer\n${SECRET}` } }),
  () => connect(`http://user:${SECRET}@127.0.0.1:1`, { retries: 0 }).query("SELECT 1"),
];
const kinds: Record<string, () => unknown> = {
  uncaught: () => calls[2]!(),
  console: async () => {
    for (const call of calls) {
      try {
        await call();
      } catch (error) {
        // deno-lint-ignore no-console
        console.error(error);
      }
    }
    const db = connect(`http://user:${SECRET}@a:4001`, { headers: { "x-token": SECRET } });
    // deno-lint-ignore no-console
    console.log(db, [db], { db });
    // deno-lint-ignore no-console
    console.dir(db, { depth: 20, showHidden: true });
  },
};
await kinds[process.argv[2] ?? ""]!();
