/** The suite as a worker for `workerd test`. */

import { runAll } from "./suite.ts";

export default {
  async test(_controller: unknown, env: { TEST_ENVIRONMENT: string }): Promise<void> {
    Object.assign(globalThis, { TEST_ENVIRONMENT: JSON.parse(env.TEST_ENVIRONMENT) });
    // deno-lint-ignore no-console -- it is read there
    console.log(`RESULTS ${JSON.stringify(await runAll())}`);
  },
};
