// The protocol of the commit log as a table: the state of the log, what arrives, what it proves, what is in the log then.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  align,
  type CommitId,
  creation,
  enter,
  type Entry,
  fence,
  pruning,
  upgrade,
} from "../../src/commit/log_table.ts";
import { own } from "../../src/commit/own_statements.ts";
import type { Proof } from "../../src/commit/proof.ts";
import type { Prepared } from "../../src/sql/prepare.ts";
import { type LogNode, NODES } from "./log_node.ts";
import { oldCreation, oldEnter, oldFence, oldPruning } from "./old_log.ts";

/** Where the log begins: the row that says so has this number. */
const N = 1024;
const FAR = 4_294_967_295;
/** How many rows `pruning()` keeps. */
const KEPT = 100_000;

interface Case {
  readonly name: string;
  /** What was applied before, one batch after another. */
  readonly log?: readonly (readonly Prepared[])[];
  readonly event: readonly Prepared[];
  /** What its answer proves. */
  readonly is: Proof["is"];
  /** The rows behind that of the start as `n - N:id:state`, and behind ">" where the sequence is if not at the last of them. */
  readonly then: string;
}

function id(name: string, base = N): CommitId {
  return { id: name, base, minted: false };
}

function entering(name: string, base = N, entry: Partial<Entry> = {}): Prepared {
  const rest = { hash: undefined, wrote: [], since: base, scopes: [], tables: [] };
  return enter({ id: id(name, base), ...rest, ...entry });
}

/** A commit that wrote those tables. */
const wrote = (name: string, ...tables: string[]) => [entering(name, N, { wrote: tables })];
/** A commit that was judged by those tables when the log ended at `N + since`. */
const judged = (since: number, ...scopes: string[]) => [
  entering("j", N, { since: N + since, scopes }),
];
/** Deletes what lies before `N + floor`. */
const cut = (floor: number) => pruning(N + floor + KEPT);

const a = [entering("a")];
const b = [entering("b")];
const fenced = [fence(id("a"))];
const hashed = [entering("a", N, { hash: "h" })];
const table = [own("CREATE TABLE t(é TEXT)")];
const text = { name: "t", sql: "CREATE TABLE t(é TEXT)" };

/** All but "old client" hold for the table as it is made and as an older one is altered. */
const CASES: Record<string, readonly Case[]> = {
  "a commit is entered": [
    { name: "under an id that is not known", event: a, is: "committed", then: "1:a:1" },
    { name: "once", log: [a], event: a, is: "done", then: "1:a:1" },
    { name: "once for the same call", log: [hashed], event: hashed, is: "done", then: "1:a:1" },
    {
      name: "for one call only",
      log: [hashed],
      event: [entering("a", N, { hash: "other" })],
      is: "reused",
      then: "1:a:1",
    },
    {
      name: "for no call without a hash where it had one",
      log: [hashed],
      event: a,
      is: "reused",
      then: "1:a:1",
    },
    { name: "never behind its fence", log: [fenced], event: a, is: "fenced", then: "1:a:0" },
    {
      name: "never behind its fence, whatever the call",
      log: [fenced],
      event: hashed,
      is: "fenced",
      then: "1:a:0",
    },
    {
      name: "never under a base before the floor",
      log: [a, b, cut(2)],
      event: a,
      is: "expired",
      then: "2:b:1",
    },
    {
      name: "under the base right before the floor",
      log: [a, b, cut(2)],
      event: [entering("c", N + 1)],
      is: "committed",
      then: "2:b:1 3:c:1",
    },
    {
      name: "under a base above the sequence, as on a node that lags, which takes it over",
      log: [a],
      event: [entering("c", N + 7)],
      is: "committed",
      then: "1:a:1 8:c:1",
    },
    {
      name: "under the farthest base",
      event: [entering("c", N + FAR)],
      is: "committed",
      then: `${FAR + 1}:c:1`,
    },
    {
      name: "never under one that is farther",
      event: [entering("c", N + FAR + 1)],
      is: "expired",
      then: "",
    },
    {
      name: "by its row, whatever the numbers say: a copy whose base seems far",
      log: [[entering("c", N + 7)]],
      event: [entering("c", N + FAR * 2)],
      is: "done",
      then: "8:c:1",
    },
  ],
  "a commit that was judged": [
    {
      name: "passes where nobody wrote what it relies on",
      log: [wrote("a", "u")],
      event: judged(0, "t"),
      is: "committed",
      then: "1:a:1 2:j:1",
    },
    {
      name: "passes where that was written before",
      log: [wrote("a", "t")],
      event: judged(1, "t"),
      is: "committed",
      then: "1:a:1 2:j:1",
    },
    {
      name: "is refused where that was written since",
      log: [wrote("a", "u", "t", "v")],
      event: judged(0, "s", "t"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "takes names as a whole",
      log: [wrote("a", "tt", "_t", "t!")],
      event: judged(0, "t", "t_", "!"),
      is: "committed",
      then: "1:a:1 2:j:1",
    },
    {
      name: "tells columns from rows",
      log: [wrote("a", "t", "t!")],
      event: judged(0, "t!"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "is refused behind what may have written anything",
      log: [wrote("a", "*")],
      event: judged(0, "t"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "by many tables passes where none of them was written",
      log: [wrote("a", "t")],
      event: judged(0, "u", "v", "w", "x", "y", "z"),
      is: "committed",
      then: "1:a:1 2:j:1",
    },
    {
      name: "by many tables is refused where one of them was written",
      log: [wrote("a", "t")],
      event: judged(0, "u", "v", "w", "x", "y", "t"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "by many tables is refused behind what may have written anything",
      log: [wrote("a", "*")],
      event: judged(0, "u", "v", "w", "x", "y", "z"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "passes where many tables have the texts that it was made by",
      log: [table],
      event: [entering("j", N, { tables: Array.from({ length: 6 }, () => text) })],
      is: "committed",
      then: "1:j:1",
    },
    {
      name: "is refused where one of many tables is another one",
      log: [table],
      event: [
        entering("j", N, {
          tables: [...Array.from({ length: 6 }, () => text), { ...text, name: "u" }],
        }),
      ],
      is: "interfered",
      then: "",
    },
    {
      name: "by all that there is is refused behind any write",
      log: [wrote("a", "u")],
      event: judged(0, "*"),
      is: "interfered",
      then: "1:a:1",
    },
    {
      name: "by all that there is passes behind what wrote nothing",
      log: [a, [fence(id("f"))], [align(N + 5)]],
      event: judged(0, "*"),
      is: "committed",
      then: "1:a:1 2:f:0 5:1029.align:0 6:j:1",
    },
    {
      name: "passes behind fences and floors",
      log: [a, [fence(id("f"))], b, cut(2)],
      event: [entering("j", N + 1, { since: N + 1, scopes: ["t"] })],
      is: "committed",
      then: "2:f:0 3:b:1 4:j:1",
    },
    {
      name: "is refused where what came since may be pruned",
      log: [a, b, cut(2)],
      event: [entering("j", N + 2, { since: N, scopes: ["t"] })],
      is: "interfered",
      then: "2:b:1",
    },
    {
      name: "passes where all that came since is there",
      log: [a, b, cut(2)],
      event: [entering("j", N + 2, { since: N + 1, scopes: ["t"] })],
      is: "committed",
      then: "2:b:1 3:j:1",
    },
    {
      name: "does not meet itself in a late copy",
      log: [[entering("j", N, { wrote: ["t"], scopes: ["t"] })]],
      event: [entering("j", N, { wrote: ["t"], scopes: ["t"] })],
      is: "done",
      then: "1:j:1",
    },
    {
      name: "is expired rather than refused",
      log: [a, b, cut(2)],
      event: judged(0, "t"),
      is: "expired",
      then: "2:b:1",
    },
    {
      name: "passes where a table has the text that it was made by",
      log: [table],
      event: [entering("j", N, { tables: [text] })],
      is: "committed",
      then: "1:j:1",
    },
    {
      name: "is refused where the table has another one",
      log: [table, [own("ALTER TABLE t ADD COLUMN b")]],
      event: [entering("j", N, { tables: [text] })],
      is: "interfered",
      then: "",
    },
    {
      name: "is refused where the table is gone",
      event: [entering("j", N, { tables: [text] })],
      is: "interfered",
      then: "",
    },
  ],
  "a fence": [
    { name: "stands for an id that never was", event: fenced, is: "committed", then: "1:a:0" },
    { name: "tells that the id took effect", log: [a], event: fenced, is: "done", then: "1:a:1" },
    {
      name: "tells so whatever the call was",
      log: [hashed],
      event: fenced,
      is: "done",
      then: "1:a:1",
    },
    { name: "adds nothing to one", log: [fenced], event: fenced, is: "committed", then: "1:a:0" },
    {
      name: "cannot tell of an id before the floor",
      log: [a, b, cut(2)],
      event: fenced,
      is: "expired",
      then: "2:b:1",
    },
    {
      name: "stands under a base above the sequence, which the node takes over",
      event: [fence(id("a", N + 7))],
      is: "committed",
      then: "8:a:0",
    },
    {
      name: "does not stand under one that is too far",
      event: [fence(id("a", N + FAR + 1))],
      is: "expired",
      then: "",
    },
    {
      name: "stands beside the commit of another id",
      log: [a],
      event: [entering("c", N + 1), fence(id("d"))],
      is: "committed",
      then: "1:a:1 2:c:1 3:d:0",
    },
    {
      name: "of an id that took effect refuses the commit beside it",
      log: [a],
      event: [entering("c", N + 1), fence(id("a"))],
      is: "done",
      then: "1:a:1",
    },
  ],
  "pruning": [
    {
      name: "does nothing at the first row",
      log: [a],
      event: cut(0),
      is: "committed",
      then: "1:a:1",
    },
    {
      name: "keeps the row at the floor",
      log: [a, b, [entering("c")]],
      event: cut(2),
      is: "committed",
      then: "2:b:1 3:c:1",
    },
    {
      name: "marks the floor where no row is",
      log: [a, [entering("c", N + 7)]],
      event: cut(5),
      is: "committed",
      then: "5:1029.floor:0 8:c:1",
    },
    {
      name: "does nothing in a late copy",
      log: [a, b, [entering("c")], cut(3)],
      event: cut(2),
      is: "committed",
      then: "3:c:1",
    },
    {
      name: "marks a floor behind the sequence of a node that lags",
      log: [a],
      event: cut(9),
      is: "committed",
      then: "9:1033.floor:0",
    },
    {
      name: "begins a new range behind an empty log",
      log: [a, [own("DELETE FROM _rqlite_commit")]],
      event: cut(9),
      is: "committed",
      then: "9:1033.floor:0",
    },
  ],
  "alignment": [
    {
      name: "raises the sequence of a node that lags",
      log: [a],
      event: [align(N + 9)],
      is: "committed",
      then: "1:a:1 9:1033.align:0",
    },
    {
      name: "does nothing elsewhere",
      log: [a],
      event: [align(N + 1)],
      is: "committed",
      then: "1:a:1",
    },
    {
      name: "leaves old bases valid",
      log: [a, [align(N + 9)]],
      event: b,
      is: "committed",
      then: "1:a:1 9:1033.align:0 10:b:1",
    },
    {
      name: "does nothing in a late copy",
      log: [[align(N + 9)], b],
      event: [align(N + 9)],
      is: "committed",
      then: "9:1033.align:0 10:b:1",
    },
  ],
  "a jump": [
    {
      name: "begins a new range",
      log: [a, b],
      event: cut(2 ** 20 + 2),
      is: "committed",
      then: `${2 ** 20 + 2}:${2 ** 20 + N + 2}.floor:0`,
    },
    {
      name: "expires what was entered",
      log: [a, cut(2 ** 20 + 1)],
      event: a,
      is: "expired",
      then: `${2 ** 20 + 1}:${2 ** 20 + N + 1}.floor:0`,
    },
    {
      name: "expires what was fenced",
      log: [fenced, cut(2 ** 20 + 1)],
      event: a,
      is: "expired",
      then: `${2 ** 20 + 1}:${2 ** 20 + N + 1}.floor:0`,
    },
    {
      name: "does nothing in a late copy",
      log: [a, cut(2 ** 20 + 1), [entering("c", 2 ** 20 + N + 1)]],
      event: cut(2 ** 20 + 1),
      is: "committed",
      then: `${2 ** 20 + 1}:${2 ** 20 + N + 1}.floor:0 ${2 ** 20 + 2}:c:1`,
    },
  ],
  "the start": [
    {
      name: "does nothing where there is one",
      log: [a],
      event: creation(2),
      is: "committed",
      then: "1:a:1",
    },
    {
      name: "does nothing where all rows were deleted",
      log: [a, [own("DELETE FROM _rqlite_commit")]],
      event: creation(2),
      is: "committed",
      then: ">1",
    },
    {
      name: "makes a dropped table again, behind every base that was seen",
      log: [a, [own("DROP TABLE _rqlite_commit")]],
      event: creation(0, N + 1),
      is: "committed",
      then: "2:0.start:0",
    },
    {
      name: "expires what was under way when the table was dropped",
      log: [[own("DROP TABLE _rqlite_commit")], creation(0, N + 1)],
      event: a,
      is: "expired",
      then: "2:0.start:0",
    },
  ],
  "an old client": [
    { name: "enters", event: [oldEnter(id("a"))], is: "committed", then: "1:a:1" },
    {
      name: "meets what a newer one entered",
      log: [hashed],
      event: [oldEnter(id("a"))],
      is: "done",
      then: "1:a:1",
    },
    {
      name: "meets the fence of a newer one",
      log: [fenced],
      event: [oldEnter(id("a"))],
      is: "fenced",
      then: "1:a:0",
    },
    {
      name: "meets the floor of a newer one",
      log: [a, [entering("c", N + 7)], cut(5)],
      event: [oldEnter(id("a"))],
      is: "expired",
      then: "5:1029.floor:0 8:c:1",
    },
    {
      name: "fences what a newer one sent",
      log: [[oldFence(id("a"))]],
      event: a,
      is: "fenced",
      then: "1:a:0",
    },
    {
      name: "is told what a newer one entered",
      log: [hashed],
      event: [oldFence(id("a"))],
      is: "done",
      then: "1:a:1",
    },
    {
      name: "adds nothing to the fence of a newer one but a number",
      log: [fenced],
      event: [oldFence(id("a"))],
      is: "committed",
      then: "1:a:0 >2",
    },
    {
      name: "is met by a newer one where it entered",
      log: [[oldEnter(id("a"))]],
      event: a,
      is: "done",
      then: "1:a:1",
    },
    {
      name: "is told by a newer one where it entered",
      log: [[oldEnter(id("a"))]],
      event: fenced,
      is: "done",
      then: "1:a:1",
    },
    {
      name: "prunes for a newer one, too",
      log: [a, b, [oldPruning(N + 1)]],
      event: a,
      is: "expired",
      then: "2:b:1",
    },
    {
      name: "is refused under a base above the sequence, as ever",
      event: [oldEnter(id("a", N + 1))],
      is: "expired",
      then: "",
    },
    {
      name: "follows the numbers of a node that was healed",
      log: [[entering("c", N + 7)]],
      event: [oldEnter(id("a", N + 8))],
      is: "committed",
      then: "8:c:1 9:a:1",
    },
  ],
};

/** What enters or fences an id, and not what aligns or prunes. */
const HEAD = /^INSERT INTO _rqlite_commit\([a-z, ]+\) (VALUES|SELECT max)/;

/** What an event enters and fences; which ids it is does not matter to what its answer proves. */
function idsIn(event: readonly Prepared[]): CommitId[] {
  return event.filter(({ sql }) => HEAD.test(sql)).map((_, i) => id(`entry ${i}`));
}

const FORMS = {
  "as it is made": [creation(1)],
  "altered from its old form": [oldCreation(1), upgrade()],
};

async function begin(node: LogNode, form: readonly (readonly Prepared[])[]): Promise<void> {
  await node.each([own("DROP TABLE IF EXISTS _rqlite_commit"), own("DROP TABLE IF EXISTS t")]);
  for (const statements of form) assert.equal((await node.apply(statements)).is, "committed");
}

/** What is in the log, in the form of `then`. */
async function contents(node: LogNode): Promise<string> {
  const rows = await node.rows("SELECT n, id, state FROM _rqlite_commit ORDER BY n");
  const [seq] =
    (await node.rows("SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit'"))[0]!;
  const last = Number(rows.at(-1)?.[0]);
  const behind = rows.filter(([n]) => n !== N)
    .map(([n, id, state]) => `${Number(n) - N}:${id}:${state}`);
  if (seq !== last) behind.push(`>${Number(seq) - N}`);
  return behind.join(" ");
}

async function check(node: LogNode, { log = [], event, is, then }: Case): Promise<void> {
  for (const batch of log) assert.equal((await node.apply(batch, idsIn(batch))).is, "committed");
  assert.equal((await node.apply(event, idsIn(event))).is, is);
  assert.equal(await contents(node), then);
}

for (const { name, skip, run } of NODES) {
  describe(`the SQL of the commit log on ${name}`, { skip }, () => {
    for (const [form, statements] of Object.entries(FORMS)) {
      for (const [subject, cases] of Object.entries(CASES)) {
        it(`${subject}, with the table ${form}`, () =>
          run(async (node) => {
            for (const one of cases) {
              await begin(node, statements);
              await check(node, one).catch((cause: unknown) => {
                throw new Error(`${subject} ${one.name}`, { cause });
              });
            }
          }));
      }
    }

    it("proofOf() tells a table that is missing from one of an old client, which can be altered twice", () =>
      run(async (node) => {
        assert.equal((await node.apply(a, [id("a")])).is, "missing");
        assert.equal((await node.apply(fenced, [id("a")])).is, "missing");
        await begin(node, [oldCreation(1), [oldEnter(id("o"))]]);
        assert.equal((await node.apply(a, [id("a")])).is, "outdated");
        assert.equal((await node.apply([fence(id("f"))], [id("f")])).is, "committed");
        await node.each(upgrade());
        await node.each(upgrade());
        assert.equal((await node.apply(a, [id("a")])).is, "committed");
        assert.equal(await contents(node), "1:o:1 2:f:0 3:a:1");
      }));
  });
}
