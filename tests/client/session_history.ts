import { type Client, connect, type Executor, OutcomeUnknownError } from "../../mod.ts";
import { LaggingCluster } from "../support/lagging_cluster.ts";
import { Random } from "../support/random.ts";

/** A write into a table, by a way that enters a commit; or, the last of them, by one that does not. */
const WRITES: readonly ((db: Client, insert: string, v: number) => Promise<unknown>)[] = [
  (db, insert, v) => db.execute(insert, [v]),
  (db, insert, v) => db.batch([[insert, v]]),
  (db, insert, v) =>
    db.transaction(async (tx) => {
      await tx.query("SELECT count(*) FROM sqlite_schema");
      await tx.execute(insert, [v]);
    }),
  (db, insert, v) => db.execute(insert, [v], { exactlyOnce: false }),
];

const READS: readonly ((db: Executor, select: string) => Promise<readonly unknown[]>)[] = [
  async (db, select) => (await db.query(select, [], { rows: "array" })).rows.flat(),
  async (db, select) =>
    (await db.batch([select], { rows: "array" }))[0]!.rows.flatMap(Object.values),
  async (db, select) =>
    (await db.query(select, [], { rows: "array", coalesce: false })).rows.flat(),
];

/** What callers do to a table of which nothing is deleted, and what is broken of read-your-writes and monotonic reads by what they are shown. */
export class History {
  readonly findings: string[] = [];
  readonly #random: Random;
  readonly #table: string;
  /** Those that no commit stands for: others than their writer may lose sight of them. */
  readonly #bare = new Set<number>();
  #last = 0;

  /** @param table Every node has it. */
  constructor(random: Random, table: string) {
    this.#random = random;
    this.#table = table;
  }

  /** A value that nobody has written; of another program's write there is no commit. */
  next(bare: boolean): number {
    const v = ++this.#last;
    if (bare) this.#bare.add(v);
    return v;
  }

  /** Another caller. @param db What has sessions, or reads at "none". */
  caller(db: Client, sessions: boolean): () => Promise<void> {
    const random = this.#random;
    let client: Client & { readonly bookmark?: string } = sessions ? db.session() : db;
    const wrote = new Set<number>();
    let seen: readonly number[] = [];
    return async () => {
      // Now and then it goes on in another place, with its bookmark alone.
      if (client.bookmark !== undefined && random.below(5) === 0) {
        client = db.session(client.bookmark);
      }
      if (random.below(3) === 0) {
        const way = random.of(WRITES);
        const v = this.next(way === WRITES.at(-1));
        try {
          await way(client, `INSERT INTO ${this.#table} VALUES(?)`, v);
          wrote.add(v);
        } catch (error) {
          // Whoever does not know whether it was written does not miss it.
          if (!(error instanceof OutcomeUnknownError)) throw error;
          this.#bare.add(v);
        }
        return;
      }
      // What is written while it reads, it need not find.
      const own = [...wrote];
      const select = `SELECT v FROM ${this.#table}`;
      const values = await random.of(READS)(client, select) as readonly number[];
      const found = new Set(values);
      const unread = own.filter((v) => !found.has(v));
      const gone = seen.filter((v) => !found.has(v) && !this.#bare.has(v));
      seen = values;
      if (unread.length > 0) this.findings.push(`does not read its writes: ${unread}`);
      if (gone.length > 0) this.findings.push(`steps back: has read ${gone}`);
    };
  }
}

/**
 * Lets callers read and write, at times at once, while nodes apply the log as they like and start anew, and while another
 * program writes. Answers what is broken.
 *
 * @param sessions Whether callers use them; else they read at "none".
 */
export async function playHistory(seed: number, sessions: boolean): Promise<string[]> {
  const random = new Random(seed);
  const cluster = new LaggingCluster();
  const { fetch, urls } = cluster;
  const db = connect([...urls], { fetch, ...(!sessions && { level: "none" as const }) });
  const history = new History(random, "t");
  await db.execute("CREATE TABLE t(v INTEGER PRIMARY KEY)");
  const entries = cluster.lag(1);
  await cluster.settle();
  const callers = Array.from({ length: 4 }, () => history.caller(db, sessions));
  for (let i = 0; i < 120; i++) {
    const node = 1 + random.below(2);
    const chance = random.below(30);
    if (chance === 0) {
      cluster.restart(node);
      await cluster.apply(node, entries);
    } else if (chance < 4) {
      await cluster.foreign(`INSERT INTO t VALUES(${history.next(true)})`);
    } else if (chance < 20) await cluster.apply(node, random.below(6));
    const first = random.below(callers.length);
    const some = Array.from({ length: 1 + random.below(3) }, (_, j) => first + j);
    await Promise.all(some.map((j) => callers[j % callers.length]!()));
  }
  await db.close();
  cluster.close();
  return history.findings;
}
