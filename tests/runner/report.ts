import type { Case } from "./junit.ts";

/** A skipped test, with the engines that skipped it. */
export interface Skip {
  readonly name: string;
  readonly engines: readonly string[];
  readonly reason: string;
}

/** `N passed, N failed, N skipped`. */
export function totals(cases: readonly Case[]): string {
  const count = (state: Case["state"]) => cases.filter((one) => one.state === state).length;
  return `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`;
}

/** One entry per skipped test. Only Node's report has the reasons; they serve for all engines. */
export function skips(byEngine: ReadonlyMap<string, readonly Case[]>): Skip[] {
  const found = new Map<string, { engines: string[]; reason: string }>();
  for (const [engine, cases] of byEngine) {
    for (const { name, state, reason } of cases) {
      if (state !== "skipped") continue;
      const skip = found.get(name) ?? { engines: [], reason: "" };
      skip.engines.push(engine);
      skip.reason ||= reason;
      found.set(name, skip);
    }
  }
  return [...found].map(([name, skip]) => ({ name, ...skip }));
}
