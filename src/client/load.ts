import { notSupported } from "../calls/cluster.ts";
import type { Host } from "../calls/host.ts";
import { Backend } from "../calls/backend.ts";
import { judge, judgeText, quote, refusedWrite } from "../calls/refusals.ts";
import { noteLoad } from "../calls/session.ts";
import { commitsOf } from "../commit/commits.ts";
import type { CallContext } from "../calls/call_context.ts";
import {
  DataError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  TimeoutError,
} from "../errors.ts";
import { Closing } from "../time/closing.ts";
import { Interrupted, within } from "../time/within.ts";
import type { HttpAnswer, Verdict } from "../transport/transport.ts";
import { path } from "../wire/request_path.ts";
import type { LoadOptions } from "./method_options.ts";
import { allOf, type Bytes, bytesOf, type LoadSource, streamOf, unpacked } from "./load_source.ts";
import { DamagedFile, type Patch, sealOf } from "./seal.ts";
import { type FileHeader, HEADER_SIZE, isDatabase, problemOf, readHeader } from "./sqlite_file.ts";

/** Runs SQL text as one atomic batch. */
export type RunText = (text: string, timeout: number) => Promise<unknown>;

/** Where the runtime sends a stream as it comes; elsewhere all of it has to be there before. */
const STREAMS: boolean = /^(?:Deno|Bun|Node\.js|Cloudflare-Workers)\b/.test(
  globalThis.navigator?.userAgent ?? "",
);

/** Replaces the database by a file, or runs SQL text. @param runText Runs SQL text as `script` does. */
export async function load(
  host: Host,
  call: CallContext,
  options: LoadOptions,
  source: LoadSource,
  runText: RunText,
): Promise<void> {
  const run = async (text: string, size: number): Promise<void> => {
    checkDump(text);
    // An instant is left, in which it says that time is up.
    await runText(text, call.deadline.remaining || Number.MIN_VALUE);
    options.onProgress?.(size);
  };
  if (typeof source === "string") return await run(source, new TextEncoder().encode(source).length);
  const { bytes, start } = await opened(source, call);
  if (isDatabase(start)) return await loadFile(host, call, options, "/db/load", bytes, start);
  const all = await inTime(call, bytes, () => allOf(bytes));
  await run(textOf(all), all.length);
}

/** Replaces the database of a cluster of one node by a file. */
export async function boot(
  host: Host,
  call: CallContext,
  options: LoadOptions,
  source: Exclude<LoadSource, string>,
): Promise<void> {
  const { bytes, start } = await opened(source, call);
  if (!isDatabase(start)) {
    const error = refusal("it is no SQLite database file, which boot() needs");
    bytes.stop(error);
    throw error;
  }
  await loadFile(host, call, options, "/boot", bytes, start);
}

async function opened(
  source: Exclude<LoadSource, string>,
  call: CallContext,
): Promise<{ readonly bytes: Bytes; readonly start: Uint8Array }> {
  const given = bytesOf(source);
  return await inTime(call, given, async () => {
    const bytes = await unpacked(given);
    const start = await bytes.slice(0, HEADER_SIZE);
    if (start.length === 0) throw refusal("it is empty");
    return { bytes, start };
  });
}

async function loadFile(
  host: Host,
  call: CallContext,
  { onProgress }: LoadOptions,
  endpoint: "/db/load" | "/boot",
  bytes: Bytes,
  start: Uint8Array,
): Promise<void> {
  const { transport, dispatcher } = host.backendBy(Backend);
  const { knowledge } = commitsOf(dispatcher);
  const { header, patches } = await inTime(call, bytes, () => examine(bytes, start));
  // A stream can be sent once: so the leader has to be known. A database that is broken answers nothing.
  const base = await knowledge.seek(call).catch((error: unknown) => {
    if (!call.settings.signal?.aborted) return knowledge.knownBase ?? 0;
    bytes.stop(error);
    throw error;
  });
  const upload = new Upload(bytes, header, patches ?? [], onProgress);
  if (!STREAMS) await inTime(call, bytes, () => upload.gather());
  try {
    await transport.send<void>({
      method: "POST",
      path: path(endpoint, { timeout: call.deadline.remaining }),
      body: () => upload.body(),
      leader: true,
      write: true,
      repeatable: false,
      statements: 0,
      deadline: call.deadline,
      judge: endpoint === "/boot" ? judgeBoot : judgeLoad,
    });
  } catch (error) {
    throw upload.failed(error);
  } finally {
    knowledge.replaced();
  }
  const { session } = call.settings;
  if (session !== undefined) noteLoad(session);
  // It is done: where this fails, whoever writes next does it.
  await (patches === undefined ? knowledge.begin(call, base) : knowledge.unseal(call, base)).catch(
    () => {},
  );
}

async function examine(
  bytes: Bytes,
  start: Uint8Array,
): Promise<{ readonly header: FileHeader; readonly patches: readonly Patch[] | undefined }> {
  const header = readHeader(start);
  if (header === undefined) throw refusal("its header is not one that SQLite opens");
  const problem = bytes.size === undefined ? undefined : problemOf(header, bytes.size);
  if (problem !== undefined) throw refusal(problem);
  try {
    return { header, patches: await sealOf(header, (from, to) => bytes.slice(from, to)) };
  } catch (error) {
    throw error instanceof DamagedFile ? refusal(error.message) : error;
  }
}

/** A file on its way to a node, with the seal in it. */
class Upload {
  readonly #bytes: Bytes;
  readonly #header: FileHeader;
  readonly #patches: readonly Patch[];
  readonly #onProgress: LoadOptions["onProgress"];
  /** All of it, for a runtime that cannot send a stream. */
  #whole: Blob | undefined;
  #sent = false;
  #stopped = false;
  /** Why it was not read to its end, where nobody stopped it. */
  #failure: { readonly error: unknown } | undefined;

  constructor(
    bytes: Bytes,
    header: FileHeader,
    patches: readonly Patch[],
    onProgress: LoadOptions["onProgress"],
  ) {
    this.#bytes = bytes;
    this.#header = header;
    this.#patches = patches;
    this.#onProgress = onProgress;
  }

  /** Reads all of it before it is sent. */
  async gather(): Promise<void> {
    this.#whole = new Blob([await allOf({ parts: () => this.#parts() })]);
  }

  /** What a request carries. */
  body(): BodyInit {
    if (this.#whole !== undefined) return this.#whole;
    if (this.#sent && !this.#bytes.again) throw consumed();
    this.#sent = true;
    return streamOf({ parts: () => this.#parts(), stop: (reason) => this.#stop(reason) });
  }

  /** The error of a request: what was not sent to its end is not applied. */
  failed(error: unknown): unknown {
    this.#stop(error);
    return this.#failure?.error ?? error;
  }

  #stop(reason: unknown): void {
    this.#stopped = true;
    this.#bytes.stop(reason);
  }

  /** It does not end as if complete where something is missing. */
  async *#parts(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const iterator = this.#bytes.parts()[Symbol.asyncIterator]();
    let length = 0;
    for (;;) {
      const part = await this.#guarded(async () => {
        const { done, value } = await iterator.next();
        const problem = done ? problemOf(this.#header, length) : undefined;
        if (problem !== undefined) throw refusal(problem);
        return done ? undefined : value;
      });
      if (part === undefined) return;
      for (const { at, byte } of this.#patches) {
        if (at >= length && at < length + part.length) part[at - length] = byte;
      }
      length += part.length;
      yield part;
      await this.#guarded(async () => await this.#onProgress?.(length));
    }
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // What is stopped lacks its end by that.
      if (!this.#stopped) this.#failure = { error };
      this.#stop(error);
      throw error;
    }
  }
}

function judgeLoad(answer: HttpAnswer): Verdict<void> {
  const broken = brokenBy(answer);
  if (broken !== undefined) return broken;
  const verdict = judge({ write: true, linearizable: false, results: 0 }, answer);
  return "error" in verdict ? verdict : { value: undefined };
}

function judgeBoot(answer: HttpAnswer): Verdict<void> {
  const { status, text } = answer;
  if (status === 200) return { value: undefined };
  if (text.trim() === "not single-node") {
    const message =
      "Cannot boot() a cluster of several nodes: use load(), or boot() the first node alone";
    return { error: new NotSupportedError(message), applied: "no", next: "never" };
  }
  if (status === 404) {
    return { error: notSupported("boot()", "8.10.0"), applied: "no", next: "never" };
  }
  return brokenBy(answer) ??
    (status < 500 || text.trim() === "not leader"
      ? judgeText(answer, () => {})
      : refusedWrite(answer, 0));
}

/** The file was taken and cannot be opened: then the node has none. */
function brokenBy(answer: HttpAnswer): Verdict<never> | undefined {
  const { node, status, text } = answer;
  if (!/^(?:remote node failed to load: )?error swapping database/.test(text)) return undefined;
  const error = new OperationalError(
    `${node} took the file and cannot open it, so its database is closed until another one is loaded: ` +
      quote(text, answer),
    { node, status },
  );
  return { error, applied: "yes", next: "never" };
}

function refusal(why: string): DataError {
  return new DataError(`Cannot load the file as ${why}; nothing was changed`);
}

function consumed(): OperationalError {
  return new OperationalError(
    "The file was not loaded, as the node that was asked first did not take it, and a stream can be sent only once",
    { retryable: true },
  );
}

/** SQLite's shell and the server write a dump as one transaction. */
function checkDump(text: string): void {
  if (!/^\s*PRAGMA foreign_keys\s*=\s*OFF;\s*BEGIN TRANSACTION;/i.test(text)) return;
  if (/\b(?:COMMIT|ROLLBACK)\b[^;]*;[^;]*$/i.test(text.slice(-100))) return;
  throw new ProgrammingError(
    "Cannot load the SQL text as it is a dump without its COMMIT, so that its end is missing; nothing was changed",
  );
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refusal("it is neither an SQLite database nor SQL text in UTF-8");
  }
}

/** Runs what reads a source of the caller's, as long as there is time. Where it fails, nobody wants the rest. */
async function inTime<T>(
  { deadline, settings: { signal } }: CallContext,
  bytes: Bytes,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await within(deadline.remaining, { abort: signal, closing: new Closing() }, work);
  } catch (error) {
    bytes.stop(error);
    if (!(error instanceof Interrupted)) throw error;
    if (error.by === "abort") throw signal?.reason;
    throw new TimeoutError("Nothing was sent, as the source did not come in time");
  }
}
