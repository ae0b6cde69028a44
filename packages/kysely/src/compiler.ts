import {
  type CompiledQuery,
  type QueryId,
  type RootOperationNode,
  SqliteQueryCompiler,
} from "kysely";
import * as kysely from "kysely";
import { NotSupportedError } from "@tangled/rqlite";

/**
 * What makes the ids of queries. Not imported by its name, as older versions do not have it, and would fail to load
 * without a word on the version that is needed.
 */
const makeId = kysely.createQueryId as typeof kysely.createQueryId | undefined;

/** @throws {NotSupportedError} If the Kysely that is imported here is too old. */
export function checkVersion(): void {
  if (makeId === undefined) throw tooOld();
}

/**
 * SQLite's, for queries of the Kysely that is imported here. Another one has other nodes: parts of a query that this one
 * does not know would be left out of its text.
 */
export class RqliteQueryCompiler extends SqliteQueryCompiler {
  /** @throws {NotSupportedError} If another Kysely made the query, or one that is too old. */
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
    checkOrigin(queryId);
    return super.compileQuery(node, queryId);
  }
}

function checkOrigin(queryId: QueryId | undefined): void {
  if (queryId === undefined || makeId === undefined) throw tooOld();
  if (queryId instanceof makeId().constructor) return;
  // Made by hand, which any Kysely may have been given.
  if (Object.getPrototypeOf(queryId) === Object.prototype) return;
  throw new NotSupportedError(
    "Cannot run queries as Kysely is there twice: one makes them, and @tangled/rqlite-kysely imports another, whose " +
      "classes are not the same. Install one for both: `npm ls kysely` shows who brings which, `npm dedupe` or an " +
      "`overrides` mends it; with require(), Kysely 0.28 is always there twice: use 0.29 or 0.30",
  );
}

function tooOld(): NotSupportedError {
  return new NotSupportedError(
    "Cannot use this version of Kysely as it is too old: install kysely 0.28, 0.29 or 0.30",
  );
}
