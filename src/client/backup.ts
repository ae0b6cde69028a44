import { judgeText } from "../calls/refusals.ts";
import { isAtLeast } from "../calls/capabilities.ts";
import { notSupported } from "../calls/cluster.ts";
import type { Host } from "../calls/host.ts";
import { Backend } from "../calls/backend.ts";
import type { CallContext } from "../calls/call_context.ts";
import { own, ownSettings } from "../commit/own_statements.ts";
import { NotSupportedError, OperationalError, ProgrammingError, TimeoutError } from "../errors.ts";
import { identifier } from "../sql/quoting.ts";
import type { Prepared } from "../sql/prepare.ts";
import { Interrupted, within } from "../time/within.ts";
import { closedError, connectionLost } from "../transport/failures.ts";
import type { HttpAnswer, Stream, Verdict } from "../transport/transport.ts";
import { path } from "../wire/request_path.ts";
import type { BackupOptions } from "./method_options.ts";
import { type BackupCheck, checkOf } from "./backup_checks.ts";

/** An answer whose body comes part by part. */
type OpenAnswer = HttpAnswer & { readonly body: Stream };

/** A copy of the database as a stream. */
export async function backup(
  host: Host,
  call: CallContext,
  options: BackupOptions,
): Promise<ReadableStream<Uint8Array>> {
  const { format = "binary", vacuum = false, compress = false, tables, onProgress } = options;
  const { noLeader = false } = options;
  if (vacuum && format !== "binary") {
    throw new TypeError(`Cannot use \`vacuum\` with format "${format}": leave one of them out`);
  }
  if (tables !== undefined && format !== "sql") {
    throw new TypeError('Cannot use `tables` without format "sql": a file has all of them');
  }
  const client = host.backendBy(Backend);
  if (format === "sql") await refuseLosses(client, call, noLeader, tables);
  if (tables !== undefined) await refuseOldServer(client, call, noLeader);
  const answer = await ask(client, call, noLeader, {
    fmt: format === "binary" ? undefined : format,
    vacuum,
    compress,
    tables: tables?.join(","),
  });
  return await opened(answer, call, { check: checkOf(format, compress), onProgress });
}

function ask(
  { transport }: Backend,
  { deadline }: CallContext,
  noLeader: boolean,
  flags: Parameters<typeof path>[1],
): Promise<OpenAnswer> {
  return transport.send({
    method: "GET",
    path: path("/db/backup", { ...flags, noleader: noLeader }),
    leader: !noLeader,
    write: false,
    repeatable: true,
    statements: 0,
    deadline,
    open: true,
    judge: (answer) => judgeOpen(answer),
  });
}

function judgeOpen(answer: HttpAnswer): Verdict<OpenAnswer> {
  const { body } = answer;
  return body === undefined ? judgeText<never>(answer, () => undefined as never) : {
    value: { ...answer, body },
  };
}

/** What is looked at, and who is told, while a backup goes by. */
interface Watch {
  readonly check: BackupCheck;
  readonly onProgress: BackupOptions["onProgress"];
}

/** The body of an answer from its first bytes on, as the caller gets it. */
async function opened(
  answer: OpenAnswer,
  { deadline, settings: { signal } }: CallContext,
  watch: Watch,
): Promise<ReadableStream<Uint8Array>> {
  const { node, body: { closing } } = answer;
  const parts = new Parts(answer, watch);
  let first: Uint8Array | undefined;
  try {
    first = await within(deadline.remaining, { abort: signal, closing }, () => parts.next());
  } catch (error) {
    parts.drop(error);
    if (!(error instanceof Interrupted)) throw error;
    if (error.by === "abort") throw signal?.reason;
    throw error.by === "close"
      ? closedError()
      : new TimeoutError(`The backup of ${node} did not begin in time`, { node });
  }
  return streamed(parts, first, signal, closing);
}

/** The parts of a body, each checked when it comes. */
class Parts {
  readonly #node: string;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #watch: Watch;
  #bytes = 0;

  constructor({ node, body: { stream } }: OpenAnswer, watch: Watch) {
    this.#node = node;
    this.#reader = (stream ?? new Blob().stream()).getReader();
    this.#watch = watch;
  }

  /** The next one; `undefined` behind the last. @throws {OperationalError} If the backup is not complete. */
  async next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read().catch((error: unknown) => {
      throw connectionLost(this.#node, error);
    });
    const { check } = this.#watch;
    await (done ? check.end() : check.add(value));
    if (value !== undefined) this.#bytes += value.length;
    return value;
  }

  /** One was handed over. */
  passed(): void {
    this.#watch.onProgress?.(this.#bytes);
  }

  /** Nobody wants the rest. */
  drop(reason: unknown): void {
    this.#watch.check.stop();
    this.#reader.cancel(reason).catch(() => {});
  }
}

/** A stream of the parts, which ends with the signal and with the client. */
function streamed(
  parts: Parts,
  first: Uint8Array | undefined,
  signal: AbortSignal | undefined,
  closing: Stream["closing"],
): ReadableStream<Uint8Array> {
  let leave = (): void => {};
  const stop = (reason: unknown): void => {
    leave();
    parts.drop(reason);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = (reason: unknown): void => {
        controller.error(reason);
        stop(reason);
      };
      const onAbort = (): void => end(signal?.reason);
      const onClose = (): void => end(closedError());
      leave = () => {
        signal?.removeEventListener("abort", onAbort);
        closing.leave(onClose);
      };
      signal?.addEventListener("abort", onAbort);
      closing.enter(onClose);
    },
    async pull(controller) {
      try {
        const part = first ?? await parts.next();
        first = undefined;
        if (part === undefined) {
          leave();
          return controller.close();
        }
        controller.enqueue(part);
        parts.passed();
      } catch (error) {
        stop(error);
        throw error;
      }
    },
    cancel: stop,
  }, { highWaterMark: 0 });
}

/** Servers before 8.43 give all tables, whatever is asked for: a name that no table has tells. */
async function refuseOldServer(
  client: Backend,
  call: CallContext,
  noLeader: boolean,
): Promise<void> {
  const answer = await ask(client, call, noLeader, { fmt: "sql", tables: crypto.randomUUID() });
  const known = isAtLeast(answer.version, 8, 43, 0);
  const dump = await opened(answer, call, { check: checkOf("sql", false), onProgress: undefined });
  const reader = dump.getReader();
  const decoder = new TextDecoder();
  let text = "";
  // The two lines in front, and how the next one begins.
  while (known === undefined && text.split("\n", 3)[2]?.[20] === undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  if (known === false || /^.*\n.*\nCREATE (VIRTUAL )?TABLE/.test(text)) {
    throw notSupported("`tables`", "8.43.0");
  }
}

/** Tables and their columns, with whether the server's SQL text would be without their rows. */
const COLUMNS = `SELECT m.name, c.name, instr(m.name, '''') + instr(c.name, '"') > 0
  FROM sqlite_schema m, temp.pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`;

/** A function takes no more values than that. */
const MOST_VALUES = 100;

/** The server's SQL text lacks rows of some tables, and the end of a text with a NUL character, without a word. */
async function refuseLosses(
  client: Backend,
  call: CallContext,
  noLeader: boolean,
  only: readonly string[] | undefined,
): Promise<void> {
  const [all = []] = await read(client, call, noLeader, [own(COLUMNS)]);
  const columns = all.filter(([table]) => only?.includes(String(table)) ?? true);
  const missing = only?.find((name) => !columns.some(([table]) => table === name));
  if (missing !== undefined) {
    throw new ProgrammingError(
      `Cannot back up ${JSON.stringify(missing)} as there is no table that is written so`,
    );
  }
  const lost = new Set(columns.filter(([, , odd]) => odd === 1).map(([table]) => String(table)));
  if (lost.size > 0) throw lossy(lost, "because of quotation marks in their names or columns");
  const looks: Prepared[] = [];
  for (const [table, names] of Map.groupBy(columns, ([table]) => String(table))) {
    for (let i = 0; i < names.length; i += MOST_VALUES) {
      const ends = names.slice(i, i + MOST_VALUES).map(([, name]) => {
        const column = identifier(String(name));
        return `CASE typeof(${column}) WHEN 'text' THEN instr(${column}, char(0)) ELSE 0 END`;
      });
      looks.push(own(
        `SELECT ? FROM ${identifier(table)} WHERE max(0, ${ends.join(", ")}) > 0 LIMIT 1`,
        table,
      ));
    }
  }
  if (looks.length === 0) return;
  const cut = (await read(client, call, noLeader, looks)).flat().map(([table]) => String(table));
  if (cut.length > 0) {
    throw lossy(new Set(cut), "as a text there has a NUL character, where it ends");
  }
}

async function read(
  client: Backend,
  { settings, deadline }: CallContext,
  noLeader: boolean,
  statements: readonly Prepared[],
): Promise<(readonly unknown[])[][]> {
  const { answer, first } = await client.dispatcher.read({
    statements,
    transaction: true,
    settings: { ...ownSettings(settings), level: noLeader ? "none" : "weak" },
    deadline,
  });
  return statements.map(({ analysis }, i) => {
    const error = answer.errorAt(first + i);
    if (error !== undefined) throw new OperationalError(`Cannot look at the tables: ${error}`);
    return answer.result(first + i, { analysis, rows: "array", integers: "number" }).rows as never;
  });
}

function lossy(tables: ReadonlySet<string>, why: string): NotSupportedError {
  const names = [...tables].map((name) => JSON.stringify(name)).join(", ");
  return new NotSupportedError(
    `Cannot back up ${names} as SQL text: the server would leave out some of it, ${why}. ` +
      'Take format "binary"',
  );
}
