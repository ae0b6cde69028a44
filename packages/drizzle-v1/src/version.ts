// Refuses a drizzle-orm that this driver does not know, before anything of it is used: columns of another one would come
// back as SQLite stores them.

import { NotSupportedError } from "@tangled/rqlite";
import * as core from "drizzle-orm/sqlite-core";
import { npmVersion } from "drizzle-orm/version";

/** No range: one of 1.0.0-rc.5 lets npm take an older build. */
const PINNED = "install drizzle-orm@1.0.0-rc.5";

/**
 * Checks a version of drizzle-orm.
 *
 * @throws {NotSupportedError} If it is not 1.0, from 1.0.0-rc.5 on.
 */
export function checkVersion(version: string): void {
  const [, candidate] = /^1\.0\.0-rc\.(\d+)$/.exec(version) ?? [];
  if (candidate === undefined ? /^1\.\d+\.\d+$/.test(version) : Number(candidate) >= 5) return;
  const is045 = version.startsWith("0.");
  const way = is045 ? "for 0.44 and 0.45 there is @tangled/rqlite-drizzle" : PINNED;
  throw otherVersion(`drizzle-orm ${version}`, way);
}

function otherVersion(what: string, way: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot use ${what} as @tangled/rqlite-drizzle-v1 is for 1.x, from 1.0.0-rc.5 on: ${way}`,
  );
}

checkVersion(npmVersion);
// Those with a hash, such as 1.0.0-rc.5-ab785fc, call themselves as the one that came of them, and npm counts them as newer.
if (!("refineSqliteCodecs" in core)) {
  throw otherVersion(`a drizzle-orm from before ${npmVersion}`, PINNED);
}
