import { type CallContext, until } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import { commonDeadline, Lane, lengthOf, MOST_TEXT } from "../calls/lane.ts";
import { TextCache } from "../sql/text_cache.ts";
import type { Result } from "../sql/value.ts";
import type { Commits } from "./commits.ts";
import { GroupCommit, type Member, type Sharing } from "./group_commit.ts";
import type { Write } from "./write.ts";

/** How many writes a commit takes. */
const MOST_WRITES = 500;

/** One at a time, so that they are applied in their order; beside one that hangs for so long the next ones go on. */
const LIMITS = { inFlight: 1, patience: 1000 };

/** What a lane of writes is made of. */
export interface WriteLaneOptions {
  /** Knows what the server can do. */
  readonly dispatcher: Dispatcher;
  /** Sends the commits. */
  readonly commits: Commits;
  /** Whether the account may do what commits need. */
  readonly mayCommit: (call: CallContext) => Promise<boolean>;
  /** Runs a write by itself. */
  readonly alone: (sharing: Sharing) => Promise<Result[]>;
}

/** Writes on their way to becoming commits: those that wait together are one {@linkcode GroupCommit}. */
export class WriteLane {
  readonly #options: WriteLaneOptions;
  readonly #lane: Lane<Sharing, Result[]> = new Lane(
    LIMITS,
    (waiting) => this.#choose(waiting),
    (members) => this.#together(members),
  );
  /** Texts whose rows may hold Infinity, which takes the answer away from all that they were sent with. */
  readonly #suspects: TextCache<true> = new TextCache(100, 100_000);

  /** Sends nothing. */
  constructor(options: WriteLaneOptions) {
    this.#options = options;
  }

  /** Whether a write may wait for others; what goes by itself keeps its place among them. */
  takes({ call }: Write): boolean {
    return call.settings.coalesce && Lane.takes(call);
  }

  /** Runs a write in its turn. @param explicit It must not go without an id. */
  run(write: Write, explicit: boolean): Promise<Result[]> {
    return this.#lane.enter({ write, explicit, deadline: write.call.deadline });
  }

  async #together(members: readonly Member[]): Promise<void> {
    const [first] = members;
    if (first === undefined) return;
    if (members.length === 1) return await this.#alone(first);
    const call = until(commonDeadline(members), first.call.write.call);
    const { dispatcher, commits, mayCommit } = this.#options;
    const alone = (member: Member) => this.#alone(member);
    const suspect = (write: Write) => this.#suspect(write);
    // What keeps it from an answer, the group meets, too.
    if (await mayCommit(call).catch(() => true)) {
      await new GroupCommit({ dispatcher, commits, call, alone, suspect }).run(members);
    } else await Promise.all(members.map((member) => this.#alone(member)));
  }

  async #alone({ call, gone, resolve, reject }: Member): Promise<void> {
    if (!gone) await this.#options.alone(call).then(resolve, reject);
  }

  /** The oldest, and those behind it as far as they fit into one commit. */
  #choose(waiting: Iterable<Sharing>): readonly Sharing[] {
    const chosen: Sharing[] = [];
    let text = 0;
    for (const sharing of waiting) {
      const shareable = this.#isShareable(sharing);
      text += lengthOf(sharing.write.statements);
      const fits = shareable && text <= MOST_TEXT && chosen.length < MOST_WRITES;
      if (chosen.length > 0 && !fits) break;
      chosen.push(sharing);
      if (!shareable) break;
    }
    return chosen;
  }

  /** Whether it is nothing but writes of rows: what changes the schema would change the errors of others. */
  #isShareable({ write }: Sharing): boolean {
    return write.statements.every(({ analysis: { kind, returning, source } }) =>
      kind === "write" && !(returning && this.#suspects.get(source))
    );
  }

  #suspect({ statements }: Write): void {
    for (const { analysis: { returning, source } } of statements) {
      if (returning) this.#suspects.set(source, true);
    }
  }
}
