/** What the package behind `assert.ts` asks when it is loaded. */
const world = globalThis as { process?: unknown };
world.process ??= { env: {} };
