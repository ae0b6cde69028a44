import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chart } from "../bench/chart.ts";
import { type Case, measure } from "../bench/measure.ts";
import { BY_HAND, CLIENT, FETCH } from "../bench/names.ts";
import { quantile, ratios, spread } from "../bench/ratios.ts";
import { fullReport, shortReport } from "../bench/report.ts";
import type { Measured, Results } from "../bench/results.ts";

const spreadOf = (median: number) => ({ low: median / 2, median, high: median * 2 });

function measured(name: string, against: Readonly<Record<string, number>>): Measured {
  return {
    name,
    time: spreadOf(0.25),
    counts: { requests: 1 / 64, statements: 2, bytes: 300, entries: 0 },
    limit: {},
    comparisons: Object.entries(against).map(([baseline, median]) => ({
      baseline,
      speed: spreadOf(median),
      goal: { speed: 2 },
    })),
  };
}

/** Of one contest on Bun. */
const RESULTS: Results = {
  conditions: {
    cores: 2,
    load: 0.25,
    system: "linux x86_64",
    server: "8.26.8",
    engines: { bun: "1.4.5" },
    quick: false,
  },
  contests: [{
    scenario: "reads",
    engine: "bun",
    title: "512 callers",
    rounds: 5,
    measured: [
      measured(FETCH, {}),
      measured(BY_HAND, { [FETCH]: 8 }),
      measured(CLIENT, { [FETCH]: 6, [BY_HAND]: 0.75 }),
    ],
  }],
  figures: [],
};

/** Throws where a tag is not closed, or an attribute or a text is not as XML wants it. */
function checkXml(xml: string): void {
  const open: string[] = [];
  const texts = xml.split(/<[^<>]*>/);
  for (const text of texts) assert.doesNotMatch(text, /[<>]|&(?!amp;|lt;|gt;|quot;)/);
  for (const [tag] of xml.matchAll(/<[^<>]*>/g)) {
    const [, close, name, , alone] = /^<(\/?)(\w+)((?: [\w:-]+="[^"&<]*")*)(\/?)>$/.exec(tag) ?? [];
    assert.ok(name, tag);
    if (close) assert.equal(open.pop(), name);
    else if (!alone) open.push(name);
  }
  assert.deepEqual(open, []);
}

describe("bench", () => {
  it("quantile() lies between two figures where it falls between", () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
    assert.equal(quantile([10, 20], 0.99), 19.9);
    assert.equal(quantile([7], 0.25), 7);
    assert.throws(() => quantile([], 0.5), RangeError);
  });

  it("spread() tells the median and the quartiles", () => {
    assert.deepEqual(spread([5, 1, 4, 2, 3]), { low: 2, median: 3, high: 4 });
  });

  it("ratios() compares what was measured in the same round", () => {
    // The machine was ten times as slow in the second round, and the ratio is the same.
    assert.deepEqual(ratios([2, 20, 2], [1, 10, 1]), { low: 2, median: 2, high: 2 });
  });

  it("measure() runs its cases in turns, and compares what they tell", async () => {
    const ran: string[] = [];
    const one = (name: string, time: number): Case => ({
      name,
      run() {
        ran.push(name);
        return Promise.resolve({ time, latencies: [time, time] });
      },
      close: () => void ran.push(`close ${name}`),
    });
    const [a, b] = await measure({
      title: "two",
      operations: 4,
      rounds: 2,
      cases: () => [one("a", 8), { ...one("b", 2), against: { a: { speed: 3 } } }],
    });
    assert.equal(ran.join(), "b,a,a,b,b,a,close a,close b");
    assert.equal(a?.time.median, 2);
    assert.deepEqual(b?.comparisons, [{
      baseline: "a",
      speed: { low: 4, median: 4, high: 4 },
      p99: { low: 4, median: 4, high: 4 },
      goal: { speed: 3 },
    }]);
  });

  it("chart() draws a bar for each way as well-formed XML", () => {
    const svg = chart(RESULTS);
    checkXml(svg);
    assert.equal(svg.match(/<line class="whisker"/g)?.length, 2);
    assert.match(svg, />6\.0<\/text>/);
    checkXml(chart({ ...RESULTS, contests: [] }));
  });

  it("fullReport() says which goals hold, and has no empty column", () => {
    const report = fullReport(RESULTS);
    assert.match(report, /Bun 1\.4\.5; rqlited 8\.26\.8/);
    assert.match(
      report,
      /\| Bun \| 512 callers \| this client \| fetch \| 6\.00 × \|.* ≥ 2\.00 × holds \|/,
    );
    assert.match(report, /\| one request by hand \| 0\.75 × \|.* ≥ 2\.00 × missed \|/);
    assert.match(report, /\| 250 µs \| 1\/64 \| 2 \| 300 \| 0 \|/);
    assert.doesNotMatch(report, /p99 \|/);
  });

  it("shortReport() has a line for what was measured", () => {
    const report = shortReport(RESULTS, "chart.svg");
    assert.match(report, /!\[[^\]]+\]\(chart\.svg\)/);
    assert.match(report, /\| 512 callers read \| fetch \| 6\.00 \(3\.00–12\) \|/);
    assert.doesNotMatch(report, /one write/);
  });
});
