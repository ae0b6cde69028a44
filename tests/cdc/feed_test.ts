// What a feed makes of requests, most of them as a real server sent them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { AuthenticationError, type Client, connect, InterfaceError } from "../../mod.ts";
import { type Change, type ChangeFeed, changeFeed } from "../../src/cdc/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { sleep, until } from "../support/http.ts";
import { test } from "../support/test.ts";
import type { Post } from "./posts.ts";
import { SCHEMA } from "./world.ts";

const SECRET = "s/e c%ret";
const RECORDED: readonly Post[] =
  JSON.parse(readFileSync(new URL("../fixtures/cdc.json", import.meta.url), "utf8")).requests;

function post(body: unknown, headers: Record<string, string> = {}): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const init = { "content-type": "application/json", ...headers };
  return new Request("http://app/changes", { method: "POST", headers: init, body: text });
}

/** A batch with one insert for each commit. */
function batch(
  indexes: readonly number[],
  more: { node?: string; service?: string } = {},
): Request {
  const payload = indexes.map((index, i) => ({
    index,
    commit_timestamp: 1757892884812,
    events: [{ op: "INSERT", table: "t", new_row_id: index + 1, after: { n: `${index}/${i}` } }],
  }));
  return post({ node_id: more.node ?? "1", service_id: more.service, payload });
}

/** Takes all changes until the feed is closed. */
async function takeAll(feed: ChangeFeed, into: Change[]): Promise<void> {
  for await (const change of feed) into.push(change);
}

const short = ({ op, table, before, after }: Change) => [op, table, before, after];

test("changeFeed() gives what a server posted, each change once and in order", async () => {
  const db = connect(embedded());
  await db.batch(SCHEMA);
  const feed = changeFeed({ secret: SECRET, serviceId: "shop", client: db });
  const taken: Change[] = [];
  const reading = takeAll(feed, taken);
  for (const { headers, body } of RECORDED) {
    assert.equal((await feed(post(body, headers))).status, 200);
  }
  feed.close();
  await reading;
  await db.close();
  const milk = { id: 1, title: "milk", done: 0 };
  const tea = { id: 1, title: "tea", done: 0 };
  const kinds = { id: 1, i: 9007199254740993n, r: 1, n: 2.5, b: new Uint8Array([0, 255, 16]) };
  assert.deepEqual(taken.map(short), [
    ["insert", "todos", undefined, milk],
    ["update", "todos", milk, { ...milk, done: 1 }],
    ["delete", "todos", { ...milk, done: 1 }, undefined],
    ["insert", "kinds", undefined, { ...kinds, t: "text", bare: "AQ==" }],
    ["insert", "kinds", undefined, {
      ...{ id: 2, i: -9223372036854775808n, r: 9007199254740992, n: 1e300 },
      ...{ b: null, t: null, bare: 3 },
    }],
    ["insert", "kinds", undefined, {
      ...{ id: 0, i: 1, r: 0.5, n: 1, b: "not bytes", t: "é <&>", bare: "AQ==" },
    }],
    ["insert", "pairs", undefined, { k: "a", v: 1 }],
    ["insert", "audit", undefined, { what: "a" }],
    ["delete", "pairs", { k: "a", v: 1 }, undefined],
    ["insert", "pairs", undefined, { k: "a", v: 2 }],
    ["insert", "audit", undefined, { what: "a" }],
    ["insert", "made", undefined, undefined],
    ["insert", "todos", undefined, tea],
    ["update", "todos", tea, { ...tea, id: 7 }],
    ["insert", "fresh", undefined, undefined],
    ["insert", "audit", undefined, { what: "in the same transaction" }],
    ["insert", "audit", undefined, { what: "1" }],
    ["insert", "audit", undefined, { what: "2" }],
    ["insert", "audit", undefined, { what: "3" }],
    ["delete", "audit", { what: "2" }, undefined],
    ["insert", "todos", undefined, { id: 8, title: "after a restart", done: 0 }],
  ]);
  assert.deepEqual(Object.keys(taken[3]!.after!), ["id", "i", "r", "n", "b", "t", "bare"]);
  const errors = taken.flatMap(({ error }) => error ?? []);
  assert.deepEqual(errors, [
    "failed to get new row data: column index out of range",
    "failed to get column names for table fresh: no such table: fresh",
  ]);
  const moved = taken[13]!;
  assert.deepEqual([moved.oldRowid, moved.newRowid], [1, 7]);
  assert.deepEqual([taken[5]!.oldRowid, taken[5]!.newRowid], [undefined, 0]);
  assert.deepEqual(taken.slice(3, 6).map(({ last }) => last), [false, false, true]);
  const [first, second, third] = taken.slice(16, 19);
  assert.deepEqual([second!.index, third!.index], [first!.index, first!.index]);
  assert.equal(new Set(taken.map(({ position }) => position)).size, taken.length);
  assert.ok(taken.every(({ timestamp }) => timestamp > 1.7e12));
  assert.equal(feed.position, taken.at(-1)!.position);
});

test("changeFeed() without a client leaves base64 as it is, and gives integers as they are asked for", async () => {
  const { body } = RECORDED.find((post) => post.body.includes('"table":"kinds"'))!;
  const found: unknown[] = [];
  for (const integers of ["auto", "bigint", "string"] as const) {
    const feed = changeFeed({ integers });
    const taken: Change[] = [];
    const reading = takeAll(feed, taken);
    await feed(post(body));
    feed.close();
    await reading;
    const { after, newRowid } = taken.find(({ table }) => table === "kinds")!;
    found.push([after?.i, after?.id, after?.n, after?.b, newRowid]);
  }
  assert.deepEqual(found, [
    [9007199254740993n, 1, 2.5, "AP8Q", 1],
    [9007199254740993n, 1n, 2.5, "AP8Q", 1n],
    ["9007199254740993", "1", 2.5, "AP8Q", 1],
  ]);
});

test("changeFeed() goes on behind any change that it gave, as `since`", async () => {
  const all: Change[] = [];
  const whole = changeFeed();
  const reading = takeAll(whole, all);
  for (const { body } of RECORDED) await whole(post(body));
  whole.close();
  await reading;
  for (const [i, { position }] of all.entries()) {
    const rest: Change[] = [];
    const feed = changeFeed({ since: position });
    assert.equal(feed.position, position);
    const resumed = takeAll(feed, rest);
    for (const { body } of RECORDED) await feed(post(body));
    feed.close();
    await resumed;
    const positions = (changes: readonly Change[]) => changes.map((change) => change.position);
    assert.deepEqual(positions(rest), positions(all.slice(i + 1)));
  }
});

test("changeFeed() loses nothing and repeats no indexed commit, however a server cuts and repeats", async () => {
  const entry = fc.integer({ min: 1, max: 3 });
  const size = fc.integer({ min: 1, max: 5 });
  const sends = fc.array(
    fc.record({ node: fc.constantFrom("1", "2"), back: fc.nat(12), sizes: fc.array(size) }),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 8 }),
      sends,
      async (log, turns) => {
        const commits = log.flatMap((count, i) => {
          return Array.from(
            { length: count },
            (_, n) => ({ index: n === 0 ? i + 1 : 0, name: `${i}.${n}` }),
          );
        });
        const feed = changeFeed();
        const taken: Change[] = [];
        const reading = takeAll(feed, taken);
        let at = 0;
        for (const { node, back, sizes } of [...turns, { node: "1", back: 0, sizes: [100] }]) {
          at = Math.max(0, at - back);
          for (const size of sizes) {
            // The server sends no batch of which all commits lack an index.
            let end = Math.min(at + size, commits.length);
            const lacks = () => !commits.slice(at, end).some(({ index }) => index > 0);
            while (lacks()) end < commits.length ? end++ : at--;
            const payload = commits.slice(at, end).map(({ index, name }) => ({
              index,
              events: [{ op: "INSERT", table: "t", after: { name } }],
            }));
            at = end;
            // An answer may be lost.
            for (let i = 0; i < 1 + back % 2; i++) await feed(post({ node_id: node, payload }));
          }
        }
        feed.close();
        await reading;
        const names = taken.map(({ after }) => String(after?.name));
        assert.deepEqual(
          new Set(names),
          new Set(commits.map(({ name }) => name)),
        );
        const indexed = names.filter((name) => name.endsWith(".0"));
        assert.deepEqual(
          indexed,
          commits.map(({ name }) => name).filter((name) => name.endsWith(".0")),
        );
      },
    ),
    { numRuns: 100 },
  );
});

test("changeFeed() answers when the consumer has asked for the next change, and not before", async () => {
  const feed = changeFeed();
  let status = 0;
  const answer = feed(batch([1, 2])).then((response) => void (status = response.status));
  const changes = feed[Symbol.asyncIterator]();
  assert.equal((await changes.next()).value?.index, 1);
  assert.equal((await changes.next()).value?.index, 2);
  await sleep(5);
  assert.deepEqual([status, feed.position], [0, "1.0.1"]);
  const third = changes.next();
  await answer;
  assert.deepEqual([status, feed.position], [200, "2.0.1"]);
  await changes.return!();
  assert.deepEqual(await third, { done: true, value: undefined });
});

test("changeFeed() gives a change again to the next loop where one ended in the middle of it", async () => {
  const feed = changeFeed();
  const answer = feed(batch([1, 2, 3]));
  const failing = async () => {
    for await (const { index } of feed) if (index === 2) throw new Error("cannot write it down");
  };
  await assert.rejects(failing(), /cannot write it down/);
  const rest: Change[] = [];
  const reading = takeAll(feed, rest);
  assert.equal((await answer).status, 200);
  feed.close();
  await reading;
  assert.deepEqual(rest.map(({ index }) => index), [2, 3]);
});

test("changeFeed() answers 503 while nobody takes, and takes what comes again once", async () => {
  const feed = changeFeed({ timeout: 300 });
  assert.deepEqual(await told(feed(batch([1]))), [503, "Nobody iterates the feed\n"]);
  const changes = feed[Symbol.asyncIterator]();
  assert.equal((await changes.next()).value?.index, 1);
  const refused = await feed(batch([1]));
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
  const second = changes.next();
  assert.equal((await feed(batch([1]))).status, 200);
  assert.equal(await Promise.race([second, sleep(5)]), undefined);
  feed.close();
  assert.equal((await second).done, true);
  assert.deepEqual(await told(feed(batch([2]))), [503, "The feed is closed\n"]);
});

test("changeFeed() takes no more than maxBytes in advance, but whatever fits into a request", async () => {
  const feed = changeFeed({ timeout: 300, maxBytes: 200 });
  assert.equal((await feed(batch([1, 2, 3]))).status, 413);
  await feed(batch([1]));
  const full = "More waits for the consumer than maxBytes\n";
  assert.deepEqual(await told(feed(batch([2]))), [503, full]);
  const taken: Change[] = [];
  const reading = takeAll(feed, taken);
  await sleep(5);
  assert.deepEqual(taken.map(({ index }) => index), [1]);
  assert.equal((await feed(batch([2]))).status, 200);
  feed.close();
  await reading;
  assert.deepEqual(taken.map(({ index }) => index), [1, 2]);
});

test("changeFeed() lets what nobody reads go if it may, and holds it for a loop", async () => {
  const feed = changeFeed({ unread: "drop" });
  const heard: number[] = [];
  const stop = feed.listen(({ index }) => heard.push(index));
  assert.equal((await feed(batch([1]))).status, 200);
  const changes = feed[Symbol.asyncIterator]();
  const answer = feed(batch([1, 2]));
  assert.equal((await changes.next()).value?.index, 2);
  stop();
  await changes.return!();
  assert.equal((await answer).status, 200);
  assert.equal((await feed(batch([3]))).status, 200);
  assert.deepEqual(heard, [1, 2]);
});

test("changeFeed() calls all that listen, also where one of them throws", async () => {
  const feed = changeFeed({ unread: "drop" });
  const heard: string[] = [];
  feed.listen(({ index }) => {
    heard.push(`a${index}`);
    throw new Error("no");
  });
  feed.listen(({ index }) => heard.push(`b${index}`));
  await assert.rejects(feed(batch([1, 2])), /no/);
  assert.equal((await feed(batch([1, 2]))).status, 200);
  assert.deepEqual(heard, ["a1", "b1", "a2", "b2"]);
});

test("changeFeed() takes a batch once that comes several times at once", async () => {
  const feed = changeFeed();
  const answers = [batch([1, 2]), batch([1, 2]), batch([2, 3])].map((request) => feed(request));
  const taken: Change[] = [];
  const reading = takeAll(feed, taken);
  for (const answer of answers) assert.equal((await answer).status, 200);
  feed.close();
  await reading;
  assert.deepEqual(taken.map(({ index }) => index), [1, 2, 3]);
});

test("changeFeed() is iterated by one loop, and heard only where somebody takes", async () => {
  const feed = changeFeed();
  assert.throws(() => feed.listen(() => {}), InterfaceError);
  const nothing = undefined as unknown as () => void;
  assert.throws(() => feed.listen(nothing), /`fn` as it is undefined: write feed\.listen/);
  const changes = feed[Symbol.asyncIterator]();
  assert.throws(() => feed[Symbol.asyncIterator](), InterfaceError);
  feed.listen(() => {})();
  await changes.return!();
  feed.listen(() => {})();
  assert.equal(feed.closed.aborted, false);
  feed.close();
  assert.equal(feed.closed.aborted, true);
});

test("changeFeed() gives nothing of a commit in which only the client's own tables changed", async () => {
  const feed = changeFeed({ timeout: 60_000 });
  const event = { op: "INSERT", table: "_RQLITE_future", after: { n: 1 } };
  const body = {
    node_id: "1",
    payload: [{ index: 4, events: [event] }, { index: 5, events: [] }],
  };
  assert.equal((await feed(post(body))).status, 200);
  assert.equal((await feed(post({ node_id: "1", payload: [] }))).status, 200);
});

test("changeFeed() has a batch sent again while the schema cannot be read", async () => {
  let fail = true;
  const local = embedded();
  const flaky: typeof fetch = (input, init) =>
    fail ? Promise.reject(new TypeError("down")) : local.fetch(input, init);
  const db: Client = connect({ ...local, fetch: flaky, timeout: 100 });
  const feed = changeFeed({ client: db });
  const taken: Change[] = [];
  const reading = takeAll(feed, taken);
  assert.deepEqual(await told(feed(batch([1]))), [503, "The schema cannot be read now\n"]);
  fail = false;
  await until("success", async () => (await feed(batch([1]))).status === 200 || undefined);
  feed.close();
  await reading;
  assert.equal(taken.length, 1);
  await db.close();
  const closed = changeFeed({ client: db });
  await assert.rejects(closed(batch([1])), InterfaceError);
  const refused = connect({
    fetch: () => Promise.resolve(new Response(null, { status: 401 })),
  });
  await assert.rejects(changeFeed({ client: refused })(batch([1])), AuthenticationError);
  await refused.close();
});

async function told(answer: Promise<Response>): Promise<[number, string]> {
  const response = await answer;
  return [response.status, await response.text()];
}

test("changeFeed() refuses strangers, and says nothing to them", async () => {
  const feed = changeFeed({ secret: "geheim ü", serviceId: "shop" });
  const basic = (text: string) => {
    return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`;
  };
  const statuses: number[] = [];
  const tries = [
    "",
    "Basic",
    "Basic ???",
    basic("geheim ü"),
    basic("x:"),
    basic("x:geheim"),
    "Bearer x",
  ];
  for (const authorization of tries) {
    const answer = await feed(post("rubbish", { authorization }));
    statuses.push(answer.status);
    assert.match(answer.headers.get("www-authenticate") ?? "", /^Basic realm/);
  }
  assert.deepEqual(new Set(statuses), new Set([401]));
  const known = { authorization: basic("rqlite:geheim ü") };
  assert.equal((await feed(post("rubbish", known))).status, 400);
  const other = { node_id: "1", service_id: "other", payload: [] };
  assert.equal((await feed(post(other, known))).status, 403);
  assert.equal((await feed(post({ ...other, service_id: "shop" }, known))).status, 200);
  const bearer = changeFeed({ secret: "abc" });
  const answer = await bearer(post(other, { authorization: "Bearer abc" }));
  assert.equal(answer.status, 200);
});

test("changeFeed() refuses what is no batch, without effect", async () => {
  const feed = changeFeed({ unread: "drop" });
  const heard: Change[] = [];
  feed.listen((change) => heard.push(change));
  const event = { op: "INSERT", table: "t", after: { n: 1 } };
  const one = { index: 1, events: [event] };
  const commits: unknown[] = [
    null,
    [],
    { ...one, index: -1 },
    { ...one, index: 1.5 },
    { ...one, index: "1" },
    { ...one, commit_timestamp: "now" },
    { index: 1 },
    ...[null, { ...event, op: "insert" }, { ...event, table: 5 }, { ...event, after: [] }]
      .map((wrong) => ({ index: 1, events: [event, wrong] })),
    ...[{ ...event, after: { n: {} } }, { ...event, new_row_id: "1" }, { ...event, error: 5 }]
      .map((wrong) => ({ index: 1, events: [event, wrong] })),
  ];
  const bodies: unknown[] = [
    ...["", "{", "null", "[]", "5", {}, { payload: [] }, { node_id: "1", payload: {} }],
    { node_id: "1", service_id: 5, payload: [] },
    ...commits.map((commit) => ({ node_id: "1", payload: [one, commit] })),
  ];
  for (const body of bodies) {
    assert.equal((await feed(post(body))).status, 400, JSON.stringify(body));
  }
  const bytes = new Uint8Array([0x22, 0xff, 0x22]);
  const headers = { "content-type": "application/json" };
  const broken = new Request("http://app/", { method: "POST", headers, body: bytes });
  assert.equal((await feed(broken)).status, 400);
  assert.deepEqual(heard, []);
  assert.equal((await feed(post({ node_id: "1", payload: [one] }))).status, 200);
  assert.equal(heard.length, 1);
});

test("changeFeed() refuses other methods, other types and long bodies", async () => {
  const feed = changeFeed({ maxBytes: 100 });
  const get = await feed(new Request("http://app/"));
  assert.deepEqual([get.status, get.headers.get("allow")], [405, "POST"]);
  assert.equal((await feed(post("{}", { "content-type": "text/plain" }))).status, 415);
  const right = { "content-type": "Application/JSON; charset=utf-8" };
  assert.equal((await feed(post({ node_id: "1", payload: [] }, right))).status, 200);
  assert.equal((await feed(post(" ".repeat(101)))).status, 413);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(60).fill(32 + 0 * pulled++)),
  });
  const init = { method: "POST", headers: { "content-type": "application/json" } };
  const streaming = { ...init, body: endless, duplex: "half" } as RequestInit;
  assert.equal((await feed(new Request("http://app/", streaming))).status, 413);
  assert.ok(pulled < 10);
  const patient = changeFeed({ timeout: 10 });
  const stalled = { ...streaming, body: new ReadableStream() };
  assert.equal((await patient(new Request("http://app/", stalled))).status, 408);
});

test("changeFeed() says so where a body was read before, and takes one of which a clone was", async () => {
  const feed = changeFeed({ unread: "drop" });
  const read = batch([1]);
  await read.text();
  const locked = batch([1]);
  locked.body!.getReader();
  for (const request of [read, locked]) {
    await assert.rejects(feed(request), (error: Error) => {
      return error instanceof InterfaceError && error.message.includes("`clone()`");
    });
  }
  const whole = batch([1]);
  await whole.clone().text();
  assert.equal((await feed(whole)).status, 200);
});

test("changeFeed() refuses options that mean nothing", () => {
  assert.throws(() => changeFeed({ secret: "" }), TypeError);
  assert.throws(() => changeFeed({ since: "17" }), /`since` .* must be the `position`/);
  assert.throws(() => changeFeed({ integers: "number" as never }), TypeError);
  assert.throws(() => changeFeed({ client: {} as never }), TypeError);
  assert.throws(() => changeFeed({ timeout: 0 }), RangeError);
});
