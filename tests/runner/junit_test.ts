import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readJunit } from "./junit.ts";
import { skips, totals } from "./report.ts";

const DENO = `<testsuites name="deno test">
  <testsuite name="./tests/a_test.ts">
    <testcase name="outer &lt;a&gt;" line="3"><failure message="1 step">1 step</failure></testcase>
    <testcase name="top &gt; level"></testcase>
  </testsuite>
  <testsuite name="ext:deno_node/testing.ts">
    <testcase name="outer &lt;a&gt; &gt; passes"></testcase>
    <testcase name="outer &lt;a&gt; &gt; skipped"><skipped/></testcase>
    <testcase name="outer &lt;a&gt; &gt; fails"><failure message="1 > 2">x</failure></testcase>
  </testsuite></testsuites>`;

const BUN = `<testsuites name="bun test" tests="4">
  <testsuite name="tests/a_test.ts" file="tests/a_test.ts">
    <testsuite name="outer &lt;a&gt;" file="tests/a_test.ts">
      <testcase name="passes" file="tests/a_test.ts" />
      <testcase name="skipped" file="tests/a_test.ts">
        <skipped />
      </testcase>
      <testcase name="fails"><failure type="AssertionError" message="1 !== 2">x</failure></testcase>
    </testsuite>
    <testcase name="top &gt; level" file="tests/a_test.ts" />
  </testsuite></testsuites>`;

const NODE = `<testsuites>
  <testsuite name="outer &lt;a>" tests="3">
    <testcase name="passes" classname="test"/>
    <testcase name="skipped"><skipped type="skipped" message="needs a &amp;quot;server&amp;quot;"/>
    </testcase>
    <testcase name="fails" failure="1 > 2"><failure message="1 > 2">[Error]</failure></testcase>
  </testsuite>
  <testcase name="top > level"/></testsuites>`;

describe("readJunit", () => {
  for (const [engine, xml] of Object.entries({ DENO, BUN, NODE })) {
    it(`readJunit() reads the report of ${engine}`, () => {
      const states = Object.fromEntries(readJunit(xml).map(({ name, state }) => [name, state]));
      assert.deepEqual(states, {
        "outer <a> > passes": "passed",
        "outer <a> > skipped": "skipped",
        "outer <a> > fails": "failed",
        "top > level": "passed",
      });
    });
  }

  it("readJunit() finds nothing in an empty report", () => {
    assert.deepEqual(readJunit(""), []);
    assert.deepEqual(readJunit("<testsuites></testsuites>"), []);
  });
});

describe("report", () => {
  it("totals() counts by state", () => {
    assert.equal(totals(readJunit(DENO)), "2 passed, 1 failed, 1 skipped");
    assert.equal(totals([]), "0 passed, 0 failed, 0 skipped");
  });

  it("skips() names a test once, with the reason that one engine gave", () => {
    const results = new Map(
      Object.entries({ deno: DENO, bun: BUN, node: NODE }).map(([k, xml]) => [k, readJunit(xml)]),
    );
    assert.deepEqual(skips(results), [{
      name: "outer <a> > skipped",
      engines: ["deno", "bun", "node"],
      reason: 'needs a "server"',
    }]);
  });
});
