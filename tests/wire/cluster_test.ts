import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { membersIn, parseNodes, parseReady, parseStatus } from "../../src/wire/cluster.ts";
import { MalformedAnswerError } from "../../src/wire/json.ts";

const LEADER =
  '{"id":"1","api_addr":"http://127.0.0.1:4001","addr":"127.0.0.1:4002","version":"10","voter":true,' +
  '"reachable":true,"leader":true,"time":0.001,"time_s":"1ms"}';
const DARK =
  '{"id":"c2","addr":"127.0.0.1:14022","version":"","voter":true,"reachable":false,"leader":false,' +
  '"error":"dial tcp 127.0.0.1:14022: connect: connection refused"}';

const leader = {
  id: "1",
  apiUrl: "http://127.0.0.1:4001",
  raftAddress: "127.0.0.1:4002",
  voter: true,
  reachable: true,
  leader: true,
  version: "10",
};
const dark = {
  id: "c2",
  apiUrl: "",
  raftAddress: "127.0.0.1:14022",
  voter: true,
  reachable: false,
  leader: false,
  error: "dial tcp 127.0.0.1:14022: connect: connection refused",
};

describe("parseNodes()", () => {
  it("reads the list of ver=2", () => {
    assert.deepEqual(parseNodes(`{"nodes":[${LEADER},${DARK}]}`), [leader, dark]);
  });

  it("reads the older form with the ids as keys", () => {
    assert.deepEqual(parseNodes(`{"1":${LEADER},"c2":${DARK}}`), [leader, dark]);
  });

  it("reads a node of the older form that is called nodes", () => {
    assert.deepEqual(parseNodes(`{"nodes":${LEADER.replace('"id":"1",', "")}}`), [
      { ...leader, id: "nodes" },
    ]);
  });

  it("takes what is missing for empty or false", () => {
    assert.deepEqual(parseNodes('{"nodes":[{"id":"a"}]}'), [
      { id: "a", apiUrl: "", raftAddress: "", voter: false, reachable: false, leader: false },
    ]);
  });

  it("refuses anything else", () => {
    for (
      const text of ["", "<html>", "[]", "null", "1", '{"nodes":[1]}', '{"a":1}', '{"nodes":[{}]}']
    ) {
      assert.throws(() => parseNodes(text), MalformedAnswerError, text);
    }
  });
});

describe("membersIn()", () => {
  it("gives the HTTP addresses that are known, and the leader's", () => {
    const urls = ["http://127.0.0.1:4001"];
    assert.deepEqual(membersIn(`{"nodes":[${DARK},${LEADER}]}`), { urls, leader: urls[0] });
    assert.deepEqual(membersIn(`{"nodes":[${DARK}]}`), { urls: [], leader: undefined });
  });
});

describe("parseStatus()", () => {
  it("keeps long integers exact, and refuses what is no object", () => {
    assert.deepEqual(parseStatus('{"a":{"b":9007199254740993}}'), { a: { b: 9007199254740993n } });
    for (const text of ["", "[]", '"Leader"']) {
      assert.throws(() => parseStatus(text), MalformedAnswerError, text);
    }
  });
});

describe("parseReady()", () => {
  it("believes a list of checks only", () => {
    assert.equal(parseReady("[+]node ok\n[+]leader ok"), true);
    for (const text of ["", "OK", "<html>"]) {
      assert.throws(() => parseReady(text), MalformedAnswerError);
    }
  });
});
