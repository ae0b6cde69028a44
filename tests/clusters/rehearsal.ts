// The workloads in this process, over an engine whose answers get lost now and then: quick, and the same each time.
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { Random } from "../support/random.ts";
import { clientStore } from "./client_store.ts";
import { openDesk } from "./desk.ts";
import { type Finding, judge } from "./judge.ts";
import { naiveStore } from "./naive_store.ts";
import type { StoreKind } from "./store.ts";
import { type Noted, TABLES, type WorkloadName, WORKLOADS } from "./workloads.ts";

/** How long it is. */
export interface RehearsalSize {
  readonly callers: number;
  readonly calls: number;
  readonly seed: number;
}

const TIMEOUT = 30_000;
const CALLS_OF_AN_ERA = 60;

/** Each caller makes so many calls of one workload; answers how each property came out. */
export async function rehearse(
  kind: StoreKind,
  workload: WorkloadName,
  { callers, calls, seed }: RehearsalSize,
): Promise<Finding[]> {
  const engine = embedded(":memory:", { foreignKeys: true });
  const plain = connect(engine);
  for (const sql of TABLES) await plain.execute(sql, [], { exactlyOnce: false });
  const random = new Random(seed);
  const store = (kind === "ours" ? clientStore : naiveStore)({
    urls: ["http://a:4001", "http://b:4001"],
    timeout: TIMEOUT,
    // A lease that has run out before its holder is done.
    lease: 20,
    fetch: lossy(engine.fetch, random),
  });
  const history: Noted[] = [];
  let numbers = 0;
  const desks = Array.from({ length: callers }, (_, i) =>
    openDesk({
      store,
      random: new Random(seed + i + 1),
      caller: `caller ${i}`,
      timeout: TIMEOUT,
      number: () => ++numbers,
      era: () => Math.floor(history.length / CALLS_OF_AN_ERA),
      enter: (noted) => history.push(noted),
    }));
  await Promise.all(desks.map(async (desk) => {
    for (let i = 0; i < calls; i++) await WORKLOADS[workload](desk);
  }));
  const findings = await judge({ history, questions: [], copies: new Map() }, async (sql) => {
    const { rows } = await plain.query<unknown[]>(sql, [], { rows: "array" });
    return rows;
  });
  await store.close();
  engine.close();
  return findings;
}

/** Answers that take a moment, so that calls overlap; some get lost, and some requests do not arrive. */
function lossy(send: typeof fetch, random: Random): typeof fetch {
  const lost = () => new TypeError("Connection reset", { cause: { code: "ECONNRESET" } });
  const wait = () => new Promise((resolve) => setTimeout(resolve, random.below(4)));
  const fetch = async (...call: Parameters<typeof globalThis.fetch>): Promise<Response> => {
    await wait();
    const fate = random.below(100);
    if (fate < 3) throw lost();
    const response = await send(...call);
    await wait();
    if (fate >= 10) return response;
    await response.body?.cancel();
    throw lost();
  };
  return fetch as typeof globalThis.fetch;
}
