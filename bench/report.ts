/** What people read of the results: a table of everything, and a short one for docs/performance.md. */

import type { Spread } from "./ratios.ts";
import type {
  Comparison,
  Conditions,
  Contest,
  Counts,
  EngineName,
  Figure,
  Goal,
  Limit,
  Measured,
  Results,
} from "./results.ts";
import { SCENARIOS } from "./scenario.ts";
import {
  BARE_PAIRS,
  BEST_BY_HAND,
  BY_HAND,
  CLIENT,
  COMPARE_AND_SET,
  EAGER,
  FETCH,
  INSERT_MANY,
  LAZY,
  OVER_NODE,
  PARSE,
  QUERY,
  REDIS_LOCK,
  REDIS_PY,
  RQLITE_JS,
  SAME_BODY,
  TRANSACTION,
  UNPROTECTED,
} from "./names.ts";

/** How the engines are written. */
export const ENGINE_NAMES: Readonly<Record<EngineName, string>> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node",
};

/** Three digits are more than any of it is worth. */
export function short(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** A ratio, in digits that stand below each other. */
function times(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(2) : short(ratio);
}

function duration(milliseconds: number): string {
  if (milliseconds < 0.001) return `${short(milliseconds * 1e6)} ns`;
  return milliseconds < 1 ? `${short(milliseconds * 1000)} µs` : `${short(milliseconds)} ms`;
}

function around({ low, high }: Spread): string {
  return `${times(low)}–${times(high)}`;
}

function held(isHeld: boolean): string {
  return isHeld ? "holds" : "missed";
}

function goals(
  { speed, p99 }: Goal,
  measured: Comparison,
): string[] {
  return [
    ...(speed === undefined ? [] : [`≥ ${times(speed)} × ${held(measured.speed.median >= speed)}`]),
    ...(p99 === undefined || measured.p99 === undefined
      ? []
      : [`p99 ≥ ${short(p99)} × ${held(measured.p99.median >= p99)}`]),
  ];
}

function limits({ time, requests }: Limit, measured: Measured): string[] {
  const { counts } = measured;
  return [
    ...(time === undefined ? [] : [`≤ ${duration(time)} ${held(measured.time.median <= time)}`]),
    ...(requests === undefined || counts === undefined
      ? []
      : [`requests ≤ ${perOne(requests)} ${held(counts.requests <= requests)}`]),
  ];
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Without columns that have nothing to say. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const kept = head.map((_, i) => rows.some((cells) => cells[i] !== ""));
  const line = (cells: readonly string[]) => row(...cells.filter((_, i) => kept[i]));
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const HEAD = [
  ...[
    "engine",
    "what",
    "way",
    "against",
    "times as fast",
    "quartiles",
    "p99",
    "goals",
    "time each",
  ],
  ...["requests", "statements", "bytes", "Raft entries"],
];

/** What many share is a part that people can read. */
function perOne(count: number): string {
  return count > 0 && count < 0.1 ? `1/${Math.round(1 / count)}` : short(count);
}

function countCells(counts: Counts | undefined): string[] {
  if (counts === undefined) return ["", "", "", ""];
  const { requests, statements, bytes, entries } = counts;
  return [perOne(requests), perOne(statements), bytes.toFixed(0), perOne(entries)];
}

/** A line for each comparison; what is not about one stands in the first. */
function rowsOf({ engine, title }: Contest, measured: Measured): string[][] {
  const { name, comparisons, limit } = measured;
  const own = [duration(measured.time.median), ...countCells(measured.counts)];
  const what = [ENGINE_NAMES[engine], title, name];
  const met = limits(limit, measured);
  if (comparisons.length === 0) return [[...what, "", "", "", "", met.join("; "), ...own]];
  return comparisons.map((one, i) => [
    ...what,
    one.baseline,
    `${times(one.speed.median)} ×`,
    around(one.speed),
    one.p99 === undefined ? "" : `${times(one.p99.median)} ×`,
    [...goals(one.goal, one), ...(i === 0 ? met : [])].join("; "),
    ...(i === 0 ? own : own.map(() => "")),
  ]);
}

function figureRow({ engine, title, value, unit, most }: Figure): string[] {
  const goal = most === undefined
    ? ""
    : `≤ ${most.toLocaleString("en")} ${unit} ${held(value <= most)}`;
  return [ENGINE_NAMES[engine], title, `${value.toLocaleString("en")} ${unit}`, goal];
}

/** Where and how, in one sentence. */
export function conditionsText({ cores, load, system, server, engines }: Conditions): string {
  const versions = Object.entries(engines).map(([engine, version]) =>
    `${ENGINE_NAMES[engine as EngineName]} ${version}`
  );
  return `${versions.join(", ")}; rqlited ${server}, one node on the same machine with its data ` +
    `in memory; ${cores} cores, ${system}, with a load of ${load.toFixed(1)} before it began`;
}

/** Everything, as Markdown. */
export function fullReport({ conditions, contests, figures }: Results): string {
  const parts = [
    "# Bench",
    `${conditionsText(conditions)}${conditions.quick ? "; **quick, so rough**" : ""}.`,
    "The ways to do a thing take turns, round after round. *Times as fast* is the median of the " +
    "ratios of the rounds, with its quartiles; *p99* how many times as long the longest waits of " +
    "the other are. *Time each* is for one operation; of callers at once, what each adds to the " +
    "whole. What follows it are counts for one operation, of the server and the connection.",
  ];
  for (const [name, { about }] of Object.entries(SCENARIOS)) {
    const rows = contests.filter(({ scenario }) => scenario === name)
      .flatMap((contest) => contest.measured.flatMap((measured) => rowsOf(contest, measured)));
    const values = figures.filter(({ scenario }) => scenario === name).map(figureRow);
    if (rows.length + values.length === 0) continue;
    parts.push(`## ${about} (\`${name}\`)`);
    if (rows.length > 0) parts.push(table(HEAD, rows));
    if (values.length > 0) parts.push(table(["engine", "what", "value", "goal"], values));
  }
  return `${parts.join("\n\n")}\n`;
}

/** A line of the tables in docs/performance.md: what it says, the scenario, how the contest begins, who against whom. */
type Headline = readonly [
  text: string,
  scenario: string,
  title: string,
  way: string,
  baseline: string,
];

const HEADLINES: readonly Headline[] = [
  ["one read", "reads", "1 caller", CLIENT, SAME_BODY],
  ["one read", "reads", "1 caller", CLIENT, FETCH],
  ["64 callers read", "reads", "64", CLIENT, FETCH],
  ["512 callers read", "reads", "512", CLIENT, FETCH],
  ["512 callers read", "reads", "512", CLIENT, BY_HAND],
  ["one write, exactly once", "writes", "1 caller", CLIENT, SAME_BODY],
  ["one write, exactly once", "writes", "1 caller", CLIENT, FETCH],
  ["64 callers write, exactly once", "writes", "64", CLIENT, FETCH],
  ["512 callers write, exactly once", "writes", "512", CLIENT, FETCH],
  ["512 callers write, exactly once", "writes", "512", CLIENT, BY_HAND],
  ["read, change, write: lazy", "transactions", "1 caller", LAZY, UNPROTECTED],
  ["read, change, write: eager", "transactions", "1 caller", EAGER, UNPROTECTED],
  ["8 callers change one row: lazy", "transactions", "8 callers", LAZY, COMPARE_AND_SET],
  ["8 callers change one row: eager", "transactions", "8 callers", EAGER, COMPARE_AND_SET],
  ["100 writes, each read back", "readback", "100 writes", TRANSACTION, BARE_PAIRS],
  ["100,000 rows written", "bulk", "100,000", INSERT_MANY, BEST_BY_HAND],
  ["100,000 rows read, as objects", "decode", "100,000 rows, as objects", QUERY, PARSE],
  [
    "8 processes want a lock in Redis",
    "locks",
    "8 processes, held for 5 ms, 60",
    REDIS_LOCK,
    REDIS_PY,
  ],
  ["import", "start", "import", CLIENT, RQLITE_JS],
];

const COLUMNS: readonly (readonly [name: string, engine: EngineName, overNode: boolean])[] = [
  ["Deno", "deno", false],
  ["Bun", "bun", false],
  ["Node", "node", false],
  ["Node, `./node`", "node", true],
];

function measuredOf(
  { contests }: Results,
  [, scenario, title, way]: Headline,
  engine: EngineName,
  overNode = false,
): Contest["measured"] {
  const contest = contests.find((one) =>
    one.scenario === scenario && one.engine === engine && one.title.startsWith(title)
  );
  const name = overNode ? way === CLIENT ? OVER_NODE : undefined : way;
  return contest?.measured.filter((one) => one.name === name) ?? [];
}

function speedCell(results: Results, headline: Headline, engine: EngineName, overNode: boolean) {
  const [measured] = measuredOf(results, headline, engine, overNode);
  const found = measured?.comparisons.find(({ baseline }) => baseline === headline[4]);
  return found === undefined ? "" : `${times(found.speed.median)} (${around(found.speed)})`;
}

/** Of counts that fewer people want: one engine is enough, as they are the same on all. */
function countRow(results: Results, headline: Headline): string[] | undefined {
  const [text, scenario, title, , baseline] = headline;
  const [ours] = measuredOf(results, headline, "deno");
  const [theirs] = measuredOf(results, [text, scenario, title, baseline, ""], "deno");
  if (ours?.counts === undefined || theirs?.counts === undefined) return undefined;
  const [own, other] = [countCells(ours.counts), countCells(theirs.counts)];
  return [text, baseline, ...own.map((cell, i) => `${cell} (${other[i]})`)];
}

/**
 * What stands in docs/performance.md.
 *
 * @param chart Where the chart is, relative to that page.
 */
export function shortReport(results: Results, chart: string): string {
  const speeds = HEADLINES.map((headline) => [
    headline[0],
    headline[4],
    ...COLUMNS.map(([, engine, overNode]) => speedCell(results, headline, engine, overNode)),
  ]).filter(([, , ...cells]) => cells.some((cell) => cell !== ""));
  const counts = HEADLINES.flatMap((headline) => {
    const cells = countRow(results, headline);
    return cells === undefined ? [] : [cells];
  });
  return [
    `![Reads and writes of one row by 1, 64 and 512 callers, next to fetch](${chart})`,
    "How many times as fast the client is as what else one would do, in brackets the quartiles of the " +
    `rounds. ${conditionsText(results.conditions)}.`,
    table(["what", "against", ...COLUMNS.map(([name]) => name)], speeds),
    "What one call or transaction costs on any machine, and in brackets what it is compared with:",
    table(["what", "against", "requests", "statements", "bytes", "Raft entries"], counts),
  ].join("\n\n") + "\n";
}
