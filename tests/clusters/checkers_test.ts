// Each checker finds what it looks for in a small history, and in what a naive client does; this package's client passes.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { checkBank } from "./checkers/bank.ts";
import { checkCounters } from "./checkers/counters.ts";
import { checkDeadlines } from "./checkers/deadlines.ts";
import { checkInserts } from "./checkers/inserts.ts";
import { checkLists, type ListStep } from "./checkers/lists.ts";
import { checkLocks, type LockCall } from "./checkers/locks.ts";
import { checkRegisters, type RegisterCall } from "./checkers/registers.ts";
import type { Ended, Op } from "./history.ts";
import { type Finding, judge } from "./judge.ts";
import { rehearse } from "./rehearsal.ts";
import type { Noted, WorkloadName } from "./workloads.ts";

let clock = 0;

/** Calls one after another, unless they say when they were made. */
function op<Did>(
  did: Did,
  ended: Ended = "done",
  [start, end]: number[] = [++clock, clock],
): Op<Did> {
  return { caller: `caller ${start}`, start: start!, end: end!, ended, did };
}

describe("checkRegisters()", () => {
  const write = (value: number, ...rest: [ended?: Ended, when?: number[]]) =>
    op<RegisterCall>({ key: "a", write: value }, ...rest);
  const read = (value: number | null, when?: number[]) =>
    op<RegisterCall>({ key: "a", read: value }, "done", when);

  it("takes calls at the same time in the order that explains them", () => {
    assert.deepEqual(
      checkRegisters([
        read(null, [0, 1]),
        write(1, "done", [2, 9]),
        write(2, "done", [2, 9]),
        read(2, [3, 4]),
        read(1, [5, 6]),
        read(1, [10, 11]),
      ]),
      [],
    );
  });

  it("lets a write of which nobody knows take place at any time, or never", () => {
    assert.deepEqual(
      checkRegisters([
        write(1, "done", [0, 1]),
        write(2, "unknown", [2, 3]),
        read(1, [4, 5]),
        read(2, [6, 7]),
        write(3, "unknown", [8, 9]),
        read(2, [10, 11]),
      ]),
      [],
    );
  });

  const WRONG: Record<string, Op<RegisterCall>[]> = {
    "a read of what was overwritten before it began": [write(1), write(2), read(1)],
    "a write that comes back": [
      write(1, "done", [0, 9]),
      write(2, "done", [2, 9]),
      read(1, [3, 4]),
      read(2, [5, 6]),
      read(1, [7, 8]),
    ],
    "a write that was not applied and is seen": [write(1), write(2, "not done"), read(2)],
    "a write that was acknowledged and is not there": [write(1), read(null)],
  };
  for (const [what, ops] of Object.entries(WRONG)) {
    it(`finds ${what}`, () => assert.equal(checkRegisters(ops).length, 1));
  }
});

describe("checkLists()", () => {
  const append = (key: string, value: number): ListStep => ({ key, append: value });
  const read = (key: string, ...values: number[]): ListStep => ({ key, read: values });
  const wrong = (lists: Record<string, number[]>, ...ops: Op<readonly ListStep[]>[]) =>
    checkLists(ops, new Map(Object.entries(lists))).join("; ");

  it("finds nothing where an order explains what was read", () => {
    const ops = [
      op([append("a", 1), read("b")]),
      op([read("a", 1), append("b", 2)]),
      op([append("a", 3)], "unknown"),
      op([append("a", 4)], "not done"),
    ];
    assert.equal(wrong({ a: [1, 3], b: [2] }, ...ops), "");
    assert.equal(wrong({ a: [1], b: [2] }, ...ops), "");
  });

  it("finds appends that are lost, doubled, torn or not applied", () => {
    assert.match(wrong({ a: [] }, op([append("a", 1)])), /lost/);
    assert.match(wrong({ a: [1, 1] }, op([append("a", 1)], "unknown")), /2 times/);
    assert.match(wrong({ a: [1] }, op([append("a", 1), append("b", 2)], "unknown")), /half/);
    assert.match(wrong({ a: [1] }, op([append("a", 1)], "not done")), /not applied/);
  });

  it("finds reads of what was not applied, and of what is no beginning", () => {
    const aborted = op([append("a", 2)], "not done");
    assert.match(wrong({ a: [1] }, op([append("a", 1)]), aborted, op([read("a", 1, 2)])), /G1a/);
    const both = [op([append("a", 1)]), op([append("a", 2)])];
    assert.match(wrong({ a: [1, 2] }, ...both, op([read("a", 2)])), /no beginning/);
  });

  it("finds cycles, and names them as Adya does", () => {
    const crossed = [op([append("a", 1), append("b", 3)]), op([append("a", 2), append("b", 4)])];
    assert.match(wrong({ a: [1, 2], b: [4, 3] }, ...crossed), /^G0: /);
    const informed = [op([append("a", 1), read("b", 2)]), op([append("b", 2), read("a", 1)])];
    assert.match(wrong({ a: [1], b: [2] }, ...informed), /^G1c: /);
    const skewed = [op([append("a", 1), read("b")]), op([append("b", 2), read("a")])];
    assert.match(wrong({ a: [1], b: [2] }, ...skewed), /^G2-item: caller \d+ .* → caller/);
  });
});

describe("checkBank()", () => {
  const transfer = { from: 0, to: 1, amount: 3 };

  it("takes what acknowledged transfers leave, with or without those of which nobody knows", () => {
    const ops = [op(transfer), op(transfer, "unknown"), op({ balances: [7, 13] })];
    assert.deepEqual(checkBank(ops, 10, [7, 13]), []);
    assert.deepEqual(checkBank(ops, 10, [4, 16]), []);
  });

  it("finds another total, a debt, and balances that no transfers leave", () => {
    assert.equal(checkBank([op({ balances: [7, 10] })], 10, [10, 10]).length, 1);
    assert.equal(checkBank([op({ balances: [21, -1] })], 10, [10, 10]).length, 1);
    assert.equal(checkBank([op(transfer)], 10, [10, 10]).length, 2);
  });
});

describe("checkInserts()", () => {
  it("finds what is lost, doubled, refused or nobody's", () => {
    const ops = [
      op({ key: "a" }),
      op({ key: "b" }),
      op({ key: "c" }, "not done"),
      op({ key: "d" }, "unknown"),
    ];
    assert.deepEqual(checkInserts(ops, new Map([["a", 1], ["b", 1]])), []);
    assert.deepEqual(checkInserts(ops, new Map([["a", 1], ["b", 1], ["d", 1]])), []);
    const found = new Map([["b", 2], ["c", 1], ["e", 1]]);
    assert.equal(checkInserts(ops, found).length, 4);
  });
});

describe("checkCounters()", () => {
  it("finds a counter that is more or less than was told", () => {
    const ops = [
      op({ counter: "a" }),
      op({ counter: "a" }, "unknown"),
      op({ counter: "a" }, "not done"),
    ];
    const wrong = [0, 1, 2, 3].map((n) => checkCounters(ops, new Map([["a", n]])).length);
    assert.deepEqual(wrong, [1, 0, 0, 1]);
    assert.deepEqual(checkCounters(ops, new Map([["a", 3]]), new Map([["a", 1]])), []);
  });
});

describe("checkLocks()", () => {
  const turn = (key: string, token: number) => op<LockCall>({ key, token });

  it("finds turns that did not know of each other, and tokens that do not grow", () => {
    const ops = [turn("a", 1), turn("b", 2)];
    const noted = { key: "a", n: 1, token: 1 };
    assert.deepEqual(checkLocks(ops, [noted, { key: "b", n: 2, token: 2 }]), []);
    assert.equal(checkLocks(ops, [noted, { key: "b", n: 1, token: 2 }]).length, 1);
    assert.equal(checkLocks(ops, [noted, { key: "b", n: 2, token: 1 }]).length, 1);
    assert.equal(checkLocks(ops, [noted]).length, 1);
    const back = [turn("a", 2), turn("b", 1)];
    assert.equal(checkLocks(back, [noted, { key: "b", n: 2, token: 2 }]).length, 1);
  });
});

describe("checkDeadlines()", () => {
  it("finds a call that outlives its deadline by more than a second", () => {
    const call = (took: number) => ({ what: "a call", timeout: 500, took });
    assert.deepEqual(checkDeadlines([call(10), call(1500)]), []);
    assert.equal(checkDeadlines([call(1501)]).length, 1);
  });
});

describe("judge()", () => {
  it("finds that rows are gone of which nobody has told since", async () => {
    const did: readonly [WorkloadName, unknown][] = [
      ["registers", { key: "a", write: 1 }],
      ["lists", [{ key: "a", append: 1 }]],
      ["inserts", { key: "a", own: false }],
      ["counters", { counter: "a" }],
      ["counters without ids", { counter: "plain a" }],
      ["profiles", { counter: "a" }],
      ["locks", { key: "a", token: 1 }],
      ["shop", { what: "order", by: "client", key: "a" }],
    ];
    const history = did.map(([workload, did]) => ({ workload, ...op(did), took: 1, timeout: 1 }));
    const heard = { history: history as Noted[], questions: [], copies: new Map() };
    const findings = await judge(heard, () => Promise.resolve([]));
    const wrong = findings.filter(({ violations }) => violations.length > 0);
    assert.deepEqual(
      wrong.map(({ workload }) => workload),
      did.map(([workload]) => workload === "shop" ? "shop by client" : workload),
    );
  });
});

const SIZE = { callers: 4, calls: 10 };

/** Rehearsals of a naive client of which one at least has to fail; the first usually does. */
const ROUNDS = 20;

const NAMES: readonly WorkloadName[] = [
  ...["registers", "lists", "bank", "inserts", "counters", "counters without ids"] as const,
  ...["profiles", "locks", "shop"] as const,
];

async function failures(workload: WorkloadName): Promise<number> {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const findings = await rehearse("naive", workload, { callers: 6, calls: 40, seed });
    const wrong = findings.flatMap(({ violations }) => violations);
    if (wrong.length > 0) return wrong.length;
  }
  return 0;
}

describe("a history over answers that get lost", () => {
  const naive = new Map<WorkloadName, Promise<number>>();
  const ours = new Map<WorkloadName, Promise<Finding[]>>();

  // They mostly wait, so all of them at once.
  before(() => {
    for (const name of NAMES) {
      naive.set(name, failures(name));
      ours.set(name, rehearse("ours", name, { ...SIZE, seed: 7 }));
    }
  });

  for (const name of NAMES) {
    it(`of ${name} is wrong by a naive client`, async () => assert.ok(await naive.get(name)! > 0));

    it(`of ${name} is right by this client`, async () => {
      for (const { property, operations, violations } of await ours.get(name)!) {
        assert.deepEqual(violations, [], `${property}, ${operations} operations`);
      }
    });
  }
});
