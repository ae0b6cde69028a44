import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { parseArgs } from "node:util";
import { Cluster } from "../support/cluster.ts";
import { until } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { Rqlited, skipWithoutRqlited } from "../support/rqlited.ts";
import { assertTold, type Ran, runExample } from "./run_example.ts";

describe("examples/failover.ts", () => {
  it("writes in memory", async () => {
    assertTold(await runExample("failover.ts", "--seconds=0.2"), [
      "rows were written",
      "Each of them is there, once",
    ]);
  });

  it("refuses what is no number of seconds", async () => {
    const { code, stderr } = await runExample("failover.ts", "--seconds=soon");
    assert.notEqual(code, 0);
    assert.match(stderr, /Cannot write for soon seconds/);
  });
});

/** The lines of the shell in docs/clusters.md, in words. */
function commands(): string[][] {
  const page = readFileSync(new URL("../../docs/clusters.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```sh\n([^]*?)```/g)].map(([, block]) => block!);
  return blocks.join("").trim().split("\n").map((line) => line.split(" "));
}

/** The page's ports, each in place of which a free one is taken. */
class Ports {
  readonly #taken = new Map<string, number>();

  async of(port: string): Promise<number> {
    const known = this.#taken.get(port) ?? await freePort();
    this.#taken.set(port, known);
    return known;
  }

  async in(word: string): Promise<string> {
    const port = /(?<=localhost:)\d+/.exec(word)?.[0];
    if (port === undefined) return word;
    return word.replace(`localhost:${port}`, `127.0.0.1:${await this.of(port)}`);
  }
}

/** The node that a line starts; what it does not know of the line it refuses. */
async function nodeOf([program, ...words]: readonly string[], ports: Ports): Promise<Rqlited> {
  assert.equal(program, "rqlited");
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    // rqlited takes one dash, too.
    args: words.map((word) => word.replace(/^-(?=\w)/, "--")),
    options: {
      ...{ "node-id": { type: "string" }, "http-addr": { type: "string" } },
      ...{ "raft-addr": { type: "string" }, "join": { type: "string" } },
    },
  });
  assert.equal(positionals.length, 1, "a folder");
  const portOf = (address = "") => ports.of(address.replace("localhost:", ""));
  const [http, raft] = [await portOf(values["http-addr"]), await portOf(values["raft-addr"])];
  const join = values.join === undefined ? [] : ["-join", await ports.in(values.join)];
  return new Rqlited({ http, raft }, { id: values["node-id"]!, raftTimeout: 400, args: join });
}

/** Runs an example, or a task, as a line says. */
async function run([deno, how, what = "", ...rest]: readonly string[], ports: Ports): Promise<Ran> {
  const line = how === "task"
    ? `${await commandOf(what)} ${rest.join(" ")}`
    : [deno, how, what, ...rest].join(" ");
  const [, file, flags = ""] = /^deno run -A (\S+) ?(.*)$/.exec(line) ?? assert.fail(line);
  const mapped: string[] = [];
  for (const flag of flags.split(" ")) mapped.push(await ports.in(flag === "60" ? "4" : flag));
  return await runExample(`../${file}`, ...mapped);
}

/** What a task of deno.json runs. */
async function commandOf(task: string): Promise<string> {
  const text = await readFile(new URL("../../deno.json", import.meta.url), "utf8");
  return JSON.parse(text).tasks[task].command;
}

describe("docs/clusters.md", { skip: skipWithoutRqlited() }, () => {
  it("holds: the leader is killed, writers go on, a backup goes elsewhere, all nodes are equal", async () => {
    const ports = new Ports();
    const lines = commands();
    assert.equal(lines.length, 7);
    const [one, two, three, failover, fourth, backup, doctor] = lines as [
      ...[string[], string[], string[], string[], string[], string[], string[]],
    ];
    const nodes: Rqlited[] = [];
    for (const line of [one, two, three]) nodes.push(await nodeOf(line, ports));
    await using cluster = new Cluster(nodes);
    await using elsewhere = await nodeOf(fourth, ports);
    for (const node of [...nodes, elsewhere]) {
      node.spawn();
      await node.ready();
    }
    const first = await cluster.settled();
    const running = run(failover, ports);
    await until("rows of the writers", async () => {
      const { text } = await first.ask("/db/query?q=SELECT+1+FROM+demo_visits+LIMIT+1");
      return text.includes('"values"') || undefined;
    });
    await first.kill();
    const ran = await running;
    assertTold(ran, ["rows were written", "Each of them is there, once"]);
    const next = await cluster.leader();
    assert.notEqual(next, first);
    assert.match(ran.stdout, new RegExp(`led by ${first.url}, then .*${next.url}`));
    await first.restart();
    await cluster.settled();
    assertTold(await run(backup, ports), ["✓ demo_visits: ", "✓ demo_songs: "]);
    assertTold(await run(doctor, ports), ["3 nodes: ", "✓ equal", "default: demo_visits.at"]);
  });
});
