/** One test of an engine's report. */
export interface Case {
  /** The names of its suites and its own, joined by ` > `. */
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why it was skipped, where the report says so. */
  readonly reason: string;
}

const TAG = /<(\/?)(testsuite|testcase|skipped|failure|error)\b((?:[^>"]|"[^"]*")*?)(\/?)>/g;

function decode(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(/&(\w+);/g, (whole, name) => entities[name] ?? whole);
}

function attribute(attributes: string, name: string): string {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? "";
  return decode(decode(value)); // Node encodes names twice
}

/**
 * Reads the JUnit report of Deno, Bun or Node. Deno lists a suite next to the cases in it, as `suite`
 * and `suite > case`; a name that others go on from is left out.
 */
export function readJunit(xml: string): Case[] {
  const cases: Case[] = [];
  const suites: string[] = [];
  let open: { name: string; state: Case["state"]; reason: string } | undefined;
  for (const [, closing, tag, attributes = "", empty] of xml.matchAll(TAG)) {
    const name = attribute(attributes, "name");
    if (tag === "testsuite") {
      if (closing) suites.pop();
      else if (!empty) suites.push(name);
    } else if (tag === "testcase") {
      if (!closing) {
        open = { name: fullName(suites, name), state: "passed", reason: "" };
        cases.push(open);
      }
    } else if (open !== undefined && !closing) {
      open.state = tag === "skipped" ? "skipped" : "failed";
      open.reason = tag === "skipped" ? attribute(attributes, "message") : "";
    }
  }
  return leaves(cases);
}

/** Deno and Bun make a suite of every file; Deno's names are complete already. */
function fullName(suites: readonly string[], name: string): string {
  return [...suites.filter((suite) => !suite.endsWith(".ts")), name].join(" > ");
}

function leaves(cases: readonly Case[]): Case[] {
  const parents = new Set<string>();
  for (const { name } of cases) {
    for (let at = name.indexOf(" > "); at >= 0; at = name.indexOf(" > ", at + 1)) {
      parents.add(name.slice(0, at));
    }
  }
  return cases.filter((one) => !parents.has(one.name));
}
