/** The part of `node:test` that the suite uses, where there is no Node. */

/** What became of one test. */
export interface Outcome {
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  readonly error?: string;
}

type Body = () => unknown;

interface Options {
  readonly skip?: string | boolean;
}

interface Case {
  readonly name: string;
  readonly body: Body;
}

class Suite {
  readonly name: string;
  readonly skip: boolean;
  readonly items: (Suite | Case)[] = [];
  readonly before: Body[] = [];
  readonly after: Body[] = [];
  readonly beforeEach: Body[] = [];
  readonly afterEach: Body[] = [];

  constructor(name: string, skip: boolean) {
    this.name = name;
    this.skip = skip;
  }
}

/** How long one test may take, in milliseconds. */
const LIMIT = 60_000;

const root = new Suite("", false);
let current = root;

function read(options: Options | Body, body: Body | undefined): [Options, Body] {
  return typeof options === "function" ? [{}, options] : [options, body ?? (() => {})];
}

/** Registers a group. */
export function describe(name: string, options: Options | Body, body?: Body): void {
  const [{ skip }, fill] = read(options, body);
  const suite = new Suite(name, current.skip || Boolean(skip));
  current.items.push(suite);
  const outer = current;
  current = suite;
  fill();
  current = outer;
}

/** Registers a test. */
export function it(name: string, options: Options | Body, body?: Body): void {
  const [{ skip }, run] = read(options, body);
  if (!skip) return void current.items.push({ name, body: run });
  const suite = new Suite(name, true);
  suite.items.push({ name: "", body: run });
  current.items.push(suite);
}

export { it as test };

/** Registers what runs once, in front of the tests of the group. */
export function before(body: Body): void {
  current.before.push(body);
}

/** Registers what runs once, behind the tests of the group. */
export function after(body: Body): void {
  current.after.push(body);
}

/** Registers what runs in front of each test of the group. */
export function beforeEach(body: Body): void {
  current.beforeEach.push(body);
}

/** Registers what runs behind each test of the group. */
export function afterEach(body: Body): void {
  current.afterEach.push(body);
}

/** Runs everything that was registered. */
export async function runAll(): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await runSuite(root, [], outcomes);
  return outcomes;
}

async function runSuite(
  suite: Suite,
  outer: readonly Suite[],
  outcomes: Outcome[],
): Promise<void> {
  const chain = [...outer, suite];
  const title = (name: string): string =>
    [...chain.slice(1).map((one) => one.name), name].join(" > ");
  const problem = suite.skip ? undefined : await attempt(suite.before);
  for (const item of suite.items) {
    if (item instanceof Suite) {
      await runSuite(item, chain, outcomes);
      continue;
    }
    const name = title(item.name);
    if (suite.skip) {
      outcomes.push({ name, state: "skipped" });
      continue;
    }
    const first = chain.flatMap(({ beforeEach }) => beforeEach);
    const last = chain.toReversed().flatMap(({ afterEach }) => afterEach);
    const error = problem ?? await attempt([...first, item.body]) ?? await attempt(last);
    outcomes.push(
      error === undefined ? { name, state: "passed" } : { name, state: "failed", error },
    );
  }
  const error = suite.skip ? undefined : await attempt(suite.after);
  if (error !== undefined) outcomes.push({ name: title("after"), state: "failed", error });
}

/** What went wrong, if anything did. */
async function attempt(bodies: readonly Body[]): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const limit = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`No end in ${LIMIT} ms`)), LIMIT);
    });
    await Promise.race([
      limit,
      (async () => {
        for (const body of bodies) await body();
      })(),
    ]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
  } finally {
    clearTimeout(timer);
  }
}
