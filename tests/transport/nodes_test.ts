import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Nodes, type Tried } from "../../src/transport/nodes.ts";

const A = "http://a:4001";
const B = "http://b:4001";
const PATH = "/db/execute?transaction";

const NONE: ReadonlySet<string> = new Set();
const NOTHING: Tried = { hopeless: NONE, unreached: NONE, remaining: Infinity };

describe("Nodes", () => {
  it("stays with a node until it fails, then takes the next", () => {
    const nodes = new Nodes([A, B]);
    assert.equal(nodes.pick(false), A);
    assert.equal(nodes.pick(true), A);
    nodes.failed(A);
    assert.equal(nodes.pick(false), B);
    nodes.failed(B);
    assert.equal(nodes.pick(false), A);
  });

  it("does not move on for the failure of a node it has left", () => {
    const nodes = new Nodes([A, B]);
    nodes.failed(A);
    nodes.failed(A);
    assert.equal(nodes.pick(false), B);
  });

  it("asks another node while one rests, and the one that rests for the shortest time if all do", () => {
    const nodes = new Nodes([A, B]);
    nodes.rests(A, 60_000);
    assert.equal(nodes.pick(false), B);
    assert.equal(nodes.rest(B), 0);
    nodes.rests(B, 600_000);
    assert.equal(nodes.pick(false), A);
    assert.ok(nodes.rest(A) > 0);
    assert.equal(nodes.pick(false, { ...NOTHING, hopeless: new Set([A]) }), B);
  });

  it("lets a node rest for an hour at most", () => {
    const nodes = new Nodes([A]);
    nodes.rests(A, Infinity);
    assert.ok(nodes.rest(A) <= 3_600_000);
  });

  it("lets each call try a node that could not be reached before it waits for one that rests", () => {
    const nodes = new Nodes([A, B]);
    nodes.rests(A, 60_000);
    nodes.failed(B, true);
    assert.equal(nodes.pick(false), B);
    const tried = { ...NOTHING, unreached: new Set([B]), remaining: 90_000 };
    assert.equal(nodes.pick(false, tried), A);
    assert.equal(nodes.pick(false, { ...tried, remaining: 30_000 }), B, "there is no time to wait");
    nodes.learn({ urls: ["http://c:4001"], leader: undefined }, 0);
    assert.equal(nodes.pick(false), "http://c:4001", "one that is well comes first");
  });

  it("gives those that could not be reached another chance once one asked to be left alone", () => {
    const nodes = new Nodes([A, B]);
    nodes.failed(A, true);
    nodes.failed(B);
    nodes.rests(B, 0);
    assert.equal(nodes.pick(false), B);
    nodes.failed(B);
    assert.equal(nodes.pick(false), A);
  });

  it("does not send the leader's work to a leader that rests", () => {
    const nodes = new Nodes([A]);
    nodes.rests(B, 60_000);
    assert.equal(nodes.redirected(A, `${B}/db/execute`, PATH), undefined);
    assert.equal(nodes.pick(true), A);
  });

  it("sends the leader's work to the leader that a redirect named, until it fails", () => {
    const nodes = new Nodes([A]);
    assert.equal(nodes.redirected(A, `${B}/db/execute?transaction&redirect`, PATH), B);
    assert.equal(nodes.pick(true), B);
    assert.equal(nodes.pick(false), A);
    nodes.failed(B);
    assert.equal(nodes.pick(true), A);
  });

  it("rewrites the leader's address with mapNode", () => {
    const nodes = new Nodes([A], (url) => url.replace("10.0.0.7", "localhost"));
    assert.equal(
      nodes.redirected(A, "http://10.0.0.7:4003/db/execute", PATH),
      "http://localhost:4003",
    );
  });

  const refused: [string, string, string][] = [
    [A, "/login", "another path"],
    [A, "ftp://b/db/execute", "another scheme"],
    [A, "javascript:alert(1)", "a script"],
    [A, "http://[", "no URL"],
    ["https://a:4001", `${B}/db/execute`, "a step down to http"],
  ];
  for (const [from, location, what] of refused) {
    it(`does not follow a redirect to ${what}`, () => {
      const nodes = new Nodes([from]);
      assert.equal(nodes.redirected(from, location, PATH), undefined);
      assert.equal(nodes.pick(true), from);
    });
  }

  it("takes the leader that mapNode moves to the configured scheme, and forgets the one before", () => {
    const nodes = new Nodes(["https://a"], (url) => {
      return url.includes("hidden") ? undefined : url.replace("http://b:4001", "https://b");
    });
    assert.equal(nodes.redirected("https://a", `${B}/db/execute`, PATH), "https://b");
    assert.equal(nodes.pick(true), "https://b");
    assert.equal(nodes.redirected("https://a", "http://hidden/db/execute", PATH), undefined);
    assert.equal(nodes.pick(true), "https://a");
  });

  it("learns members, keeps the configured nodes and the one in use", () => {
    const nodes = new Nodes([A], (url) => url.includes("hidden") ? undefined : url);
    nodes.learn({ urls: [`${B}/`, "http://hidden:4001", A], leader: undefined }, 0);
    assert.equal(nodes.pick(false), A);
    nodes.failed(A);
    assert.equal(nodes.pick(false), B);
    nodes.failed(B);
    assert.equal(nodes.pick(false), A);
  });

  it("learns a thousand members at most, however many are named", () => {
    const heard: string[] = [];
    const nodes = new Nodes([A], (url) => {
      heard.push(url);
      return url;
    });
    const urls = Array.from({ length: 10_000 }, (_, i) => `http://n${i}:4001`);
    nodes.learn({ urls, leader: undefined }, 0);
    assert.equal(heard.length, 1_000);
    const asked = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      asked.add(nodes.pick(false));
      nodes.failed(nodes.pick(false));
    }
    assert.equal(asked.size, 1_001);
  });

  it("learns the leader from members, if it is one that answers", () => {
    const nodes = new Nodes([A, B]);
    nodes.learn({ urls: [A, B], leader: "http://c:4001" }, nodes.heard);
    assert.equal(nodes.pick(true), A);
    nodes.learn({ urls: [A, B], leader: `${B}/` }, nodes.heard);
    assert.equal(nodes.pick(true), B);
    assert.equal(nodes.pick(false), A);
  });

  it("believes what calls have found out since rather than what members say", () => {
    const nodes = new Nodes([A, B]);
    const heard = nodes.heard;
    nodes.redirected(A, `${B}${PATH}`, PATH);
    nodes.learn({ urls: [A, B], leader: A }, heard);
    assert.equal(nodes.pick(true), B);
    nodes.failed(B);
    nodes.learn({ urls: [A, B], leader: B }, heard);
    assert.equal(nodes.pick(true), A);
  });
});
