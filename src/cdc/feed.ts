import { checkFunction } from "../calls/checks.ts";
import { AuthenticationError, InterfaceError, OperationalError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import { Backlog } from "./backlog.ts";
import { type Batch, readBatch } from "./batch.ts";
import { type Change, changesOf, isClientTable } from "./change.ts";
import { CommitOrder, type Place, type PlacedCommit, START } from "./commit_order.ts";
import { type ChangeFeedOptions, type ResolvedFeed, resolveFeed } from "./options.ts";
import { later, readJsonText, refusal, Secret } from "./request.ts";
import { SchemaSource } from "./schema_source.ts";

/**
 * What the server posts its changes to, and what gives them out: a handler of requests that is iterated as well. One loop at
 * a time takes the changes; a change is taken when the loop asks for the next one, and a request is answered 200 when all of
 * it is taken.
 */
export interface ChangeFeed extends AsyncIterable<Change> {
  /**
   * Takes a request of the server. Mount it where the server's configuration says.
   *
   * @throws {InterfaceError} If the body of the request was read before, as by a middleware in front.
   */
  (request: Request): Promise<Response>;
  /** The `position` of the change that was taken last; `undefined` before the first. */
  readonly position: string | undefined;
  /**
   * Calls a function with every change as it comes in, whether anybody iterates or not. It holds nothing up, and what it
   * misses while it is not listening is not told again. What it throws, the handler throws, once all were called.
   *
   * @returns Ends that.
   * @throws {TypeError} If it is no function.
   * @throws {InterfaceError} If nobody ever iterated the feed and `unread` is not "drop": the server would send the first
   * batch again and again, and nothing else.
   */
  listen(listener: (change: Change) => void): () => void;
  /** Aborted when the feed is closed. */
  readonly closed: AbortSignal;
  /** Ends the loop over it. What is not taken is answered 503, so that the server sends it again to whoever is there next. */
  close(): void;
  /** The changes that are not taken yet, and those to come. @throws {InterfaceError} If somebody iterates it already. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Change>;
}

/**
 * Receives the changes of a database as rqlite sends them from 9.0 on, each of them once and in order as long as the program
 * runs; see `since` for what comes after that.
 *
 * @throws {TypeError} If an option has the wrong form.
 * @throws {RangeError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { changeFeed } from "@tangled/rqlite/cdc";
 *
 * const feed = changeFeed({ secret: "s3cret" }); // Deno.serve(feed), or app.post("/changes", (c) => feed(c.req.raw))
 *
 * const answer = feed(new Request("http://app/changes", { // as the server does
 *   method: "POST",
 *   headers: { "content-type": "application/json", authorization: `Basic ${btoa("rqlite:s3cret")}` },
 *   body: `{"node_id":"1","payload":[{"index":7,"commit_timestamp":1757892884812,"events":[
 *     {"op":"INSERT","table":"users","new_row_id":7,"after":{"id":7,"name":"Ada"}}]}]}`,
 * }));
 * for await (const { op, table, after } of feed) {
 *   console.log(op, table, after); // insert users { id: 7, name: "Ada" }
 *   feed.close();
 * }
 * console.log((await answer).status); // 200
 * ```
 */
export function changeFeed(options?: ChangeFeedOptions): ChangeFeed {
  const feed = new Feed(resolveFeed(options));
  const since = options?.since;
  const handler = (request: Request) => feed.answer(request);
  return Object.defineProperties(handler, {
    position: { get: () => feed.backlog.position ?? since },
    listen: { value: (listener: (change: Change) => void) => feed.listen(listener) },
    closed: { value: feed.closing.signal },
    close: { value: () => feed.close() },
    [Symbol.asyncIterator]: { value: () => feed.backlog.consume() },
  }) as typeof handler & ChangeFeed;
}

const CLOSED = "The feed is closed";

class Feed {
  readonly backlog: Backlog;
  readonly closing = new AbortController();
  readonly #options: ResolvedFeed;
  readonly #secret: Secret | undefined;
  readonly #source: SchemaSource | undefined;
  readonly #order: CommitOrder;
  readonly #listeners = new Set<(change: Change) => void>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ResolvedFeed) {
    this.#options = options;
    this.backlog = new Backlog(options.held);
    this.#secret = options.secret === undefined ? undefined : new Secret(options.secret);
    this.#source = options.client && SchemaSource.of(options.client);
    this.#order = new CommitOrder(options.since);
  }

  async answer(request: Request): Promise<Response> {
    if (request.method !== "POST") {
      return refusal(405, "Only POST is taken here", { allow: "POST" });
    }
    if (this.#secret !== undefined && !await this.#secret.isKnownTo(request)) {
      return refusal(401, "The secret is wrong or missing", {
        "www-authenticate": 'Basic realm="changes", charset="UTF-8"',
      });
    }
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), this.#options.timeout);
    try {
      return await this.#receive(request, patience.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  listen(listener: (change: Change) => void): () => void {
    checkFunction(listener, "feed.listen((change) => …)");
    if (this.#options.held && !this.backlog.wasRead) {
      throw new InterfaceError(
        "Cannot listen to a feed that nobody iterates as the server would send the first batch again and again: " +
          'iterate it first, or make it with unread: "drop"',
      );
    }
    // Each call counts for itself, also with the same function.
    const member = (change: Change) => listener(change);
    this.#listeners.add(member);
    return () => void this.#listeners.delete(member);
  }

  close(): void {
    this.backlog.close();
    this.#listeners.clear();
    this.closing.abort();
  }

  async #receive(request: Request, signal: AbortSignal): Promise<Response> {
    const { maxBytes, serviceId } = this.#options;
    const text = await readJsonText(request, maxBytes, signal);
    if (typeof text !== "string") return text;
    let batch: Batch;
    try {
      batch = readBatch(text);
    } catch (error) {
      return refusal(400, (error as TypeError).message);
    }
    if (serviceId !== undefined && batch.service_id !== serviceId) {
      return refusal(403, "This feed is for another service_id");
    }
    const place = await this.#inTurn(() => this.#admit(batch, text.length, signal));
    if (place instanceof Error) return later(place.message);
    if (await this.backlog.taken(place, signal)) return new Response();
    if (this.backlog.closed) return later(CLOSED);
    const { wasRead } = this.backlog;
    return later(wasRead ? "The consumer has not taken it yet" : "Nobody iterates the feed");
  }

  /** Runs one after the other, so that reading the schema leaves batches in their order. */
  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const run = this.#turn.then(body);
    this.#turn = run.catch(() => {});
    return run;
  }

  /** Takes in what is new of a batch; answers the place of its end, or why it has to come again. */
  async #admit(batch: Batch, size: number, signal: AbortSignal): Promise<Place | Error> {
    const commits = this.#order.place(batch.payload);
    const fresh = commits.filter((commit) => this.#order.isFresh(commit));
    const waiting = this.backlog.size;
    if (fresh.length > 0 && waiting > 0 && waiting + size > this.#options.maxBytes) {
      return new Error("More waits for the consumer than maxBytes");
    }
    let facts: Facts | undefined;
    try {
      facts = await this.#factsFor(fresh, signal);
    } catch (error) {
      // What does not pass by itself is the program's: its server tells of it.
      const passes = error instanceof OperationalError && !(error instanceof AuthenticationError);
      if (!passes && !signal.aborted) throw error;
      return new Error("The schema cannot be read now");
    }
    if (this.backlog.closed) return new Error(CLOSED);
    if (signal.aborted) return new Error("The requests before it took too long");
    this.#spread(fresh, facts, size);
    return commits.at(-1)?.place ?? START;
  }

  #spread(fresh: readonly PlacedCommit[], facts: Facts | undefined, size: number): void {
    const decoding = { integers: this.#options.integers, facts };
    const told = fresh.flatMap((placed) => {
      const changes = changesOf(placed, decoding);
      this.#order.reach(placed.place);
      this.backlog.add(changes, placed.place, size / fresh.length);
      return changes;
    });
    let failure: { readonly reason: unknown } | undefined;
    for (const change of told) {
      for (const listener of this.#listeners) {
        try {
          listener(change);
        } catch (reason) {
          failure ??= { reason };
        }
      }
    }
    if (failure !== undefined) throw failure.reason;
  }

  async #factsFor(fresh: readonly PlacedCommit[], signal: AbortSignal): Promise<Facts | undefined> {
    const hasRows = fresh.some(({ commit }) =>
      commit.events.some(({ table, before, after }) => !isClientTable(table) && (before ?? after))
    );
    return hasRows ? await this.#source?.facts(signal) : undefined;
  }
}
