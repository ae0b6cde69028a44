/**
 * Refuses a drizzle-orm that this driver does not know, before anything of it is used: columns of another one would come
 * back as SQLite stores them.
 *
 * @module
 */

import { NotSupportedError } from "@tangled/rqlite";
import { npmVersion } from "drizzle-orm/version";

/**
 * Checks a version of drizzle-orm.
 *
 * @throws {NotSupportedError} If it is not 1.0, from 1.0.0-rc.5 on.
 */
export function checkVersion(version: string): void {
  const [, candidate] = /^1\.0\.0-rc\.(\d+)/.exec(version) ?? [];
  if (candidate === undefined ? /^1\.\d+\.\d+$/.test(version) : Number(candidate) >= 5) return;
  const other = version.startsWith("0.")
    ? "for 0.44 and 0.45 there is @tangled/rqlite-drizzle"
    : "install drizzle-orm@^1.0.0-rc.5";
  throw new NotSupportedError(
    `Cannot use drizzle-orm ${version} as @tangled/rqlite-drizzle-v1 is for 1.x, from 1.0.0-rc.5 on: ${other}`,
  );
}

checkVersion(npmVersion);
