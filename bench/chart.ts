/** Draws the results of reads and writes as one picture. */

import { BY_HAND, CLIENT, FETCH, OVER_NODE, RQLITE_JS } from "./names.ts";
import type { Comparison, EngineName, Results } from "./results.ts";

const ENGINES: readonly (readonly [engine: EngineName, name: string])[] = [
  ["deno", "Deno"],
  ["bun", "Bun"],
  ["node", "Node"],
];

const ROWS: readonly (readonly [text: string, scenario: string, title: string])[] = [
  ["1 caller reads", "reads", "1 caller"],
  ["64 callers read", "reads", "64 callers"],
  ["512 callers read", "reads", "512 callers"],
  ["1 caller writes", "writes", "1 caller"],
  ["64 callers write", "writes", "64 callers"],
  ["512 callers write", "writes", "512 callers"],
];

/** Each way and the class of its colour, in the order in which they stand. */
const WAYS: readonly (readonly [way: string, look: string])[] = [
  [CLIENT, "own"],
  [OVER_NODE, "node"],
  [BY_HAND, "hand"],
  [RQLITE_JS, "peer"],
];

/** In pixels. */
const [LEFT, TOP, PANEL, GAP, BAR, ROW, FOOT] = [132, 64, 216, 24, 11, 70, 34];
const WIDTH = LEFT + ENGINES.length * (PANEL + GAP);
const HEIGHT = TOP + ROWS.length * ROW + FOOT;

/** What fits: an eighth of the speed to 32 times. Beyond it a bar ends at the edge, its number does not. */
const [LEAST, MOST] = [1 / 8, 32];
const TICKS = [1 / 4, 1, 4, 16];

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-size: 14px; font-weight: 600; }
.small { font-size: 10px; fill: #59636e; }
.back { fill: #ffffff; } .grid { stroke: #d1d9e0; } .one { stroke: #59636e; } .whisker { stroke: #1f2328; }
.own { fill: #0969da; } .node { fill: #54aeff; } .hand { fill: #afb8c1; } .peer { fill: #e16f24; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .small { fill: #9198a1; }
  .back { fill: #0d1117; } .grid { stroke: #3d444d; } .one { stroke: #9198a1; } .whisker { stroke: #f0f6fc; }
  .own { fill: #4493f8; } .node { fill: #a5d6ff; } .hand { fill: #656c76; } .peer { fill: #f0883e; }
}`;

/** Finer than a tenth of a pixel nobody sees. */
function rounded(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

/** Where a ratio is, from the left of its panel; in doublings. */
function place(ratio: number): number {
  const part = Math.log(ratio / LEAST) / Math.log(MOST / LEAST);
  return rounded(Math.min(1, Math.max(0, part)) * PANEL);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x}" y="${y}"${more}>${escaped(content)}</text>`;
}

function line(look: string, x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="${look}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function figure(ratio: number): string {
  return ratio < 10 ? ratio.toFixed(ratio < 1 ? 2 : 1) : ratio.toFixed(0);
}

/** A bar from 1 to the median, the quartiles over it, its number behind it. */
function bar(x: number, y: number, look: string, { speed }: Comparison): string {
  const [one, end] = [place(1), place(speed.median)];
  const [low, high] = [place(speed.low), place(speed.high)];
  const [from, width] = [Math.min(one, end), Math.max(1, rounded(Math.abs(end - one)))];
  const middle = y + BAR / 2;
  const behind = Math.max(one, end, high) + 4;
  return [
    `<rect class="${look}" x="${x + from}" y="${y}" width="${width}" height="${BAR - 1}"/>`,
    line("whisker", x + low, middle, x + high, middle),
    text(x + behind, y + BAR - 2, figure(speed.median), ' class="small"'),
  ].join("");
}

function panel(results: Results, column: number, row: number): string {
  const [engine] = ENGINES[column]!;
  const [, scenario, title] = ROWS[row]!;
  const contest = results.contests.find((one) =>
    one.engine === engine && one.scenario === scenario && one.title === title
  );
  const x = LEFT + column * (PANEL + GAP);
  const bars = WAYS.flatMap(([way, look]) => {
    const comparison = contest?.measured.find(({ name }) => name === way)
      ?.comparisons.find(({ baseline }) => baseline === FETCH);
    return comparison === undefined ? [] : [{ look, comparison }];
  });
  const height = bars.length * (BAR + 2);
  const y = TOP + row * ROW + (ROW - height) / 2;
  return bars.map(({ look, comparison }, i) => bar(x, y + i * (BAR + 2), look, comparison)).join(
    "",
  );
}

function grid(column: number): string {
  const x = LEFT + column * (PANEL + GAP);
  const bottom = TOP + ROWS.length * ROW;
  return [
    text(x, TOP - 8, ENGINES[column]![1], ' class="title"'),
    ...TICKS.flatMap((tick) => [
      line(tick === 1 ? "one" : "grid", x + place(tick), TOP, x + place(tick), bottom),
      text(
        x + place(tick),
        bottom + 14,
        tick < 1 ? `1/${1 / tick}` : `${tick} ×`,
        ' class="small" text-anchor="middle"',
      ),
    ]),
  ].join("");
}

function legend(): string {
  let x: number = LEFT;
  const items = WAYS.map(([way, look]) => {
    const item = `<rect class="${look}" x="${x}" y="14" width="11" height="11"/>` +
      text(x + 16, 24, way);
    x = rounded(x + 40 + way.length * 6.2);
    return item;
  });
  return items.join("") + text(x + 4, 24, "fetch, a request each = 1", ' class="small"');
}

/** An SVG that goes with light and dark pages. */
export function chart(results: Results): string {
  const columns = ENGINES.map((_, column) => column);
  const body = [
    `<rect class="back" width="${WIDTH}" height="${HEIGHT}"/>`,
    legend(),
    ...columns.map(grid),
    ...ROWS.flatMap(([name], row) => [
      text(8, TOP + row * ROW + ROW / 2, name),
      line("grid", 8, TOP + row * ROW, WIDTH - GAP, TOP + row * ROW),
      ...columns.map((column) => panel(results, column, row)),
    ]),
    text(
      LEFT,
      HEIGHT - 6,
      "times as fast, on a scale where each line is four times the one to its left; medians and quartiles",
      ' class="small"',
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" role="img"><title>How many times as fast as fetch</title>` +
    `<style>${STYLE}</style>\n${body.filter((part) => part !== "").join("\n")}\n</svg>\n`;
}
