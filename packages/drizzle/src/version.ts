// Ends the import where drizzle-orm is of a version that this driver would read wrongly: so it comes first everywhere.

import { npmVersion } from "drizzle-orm/version";
import { NotSupportedError } from "@tangled/rqlite";

// Before 0.44.5 blob columns of JSON read other letters than ASCII wrongly.
if (!/^0\.(?:44\.(?:[5-9]|\d\d)|45\.)/.test(npmVersion)) {
  throw otherVersion(`drizzle-orm ${npmVersion}`);
}

/** The error for what this driver is not for. */
export function otherVersion(what: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot use @tangled/rqlite-drizzle with ${what}, as it is for drizzle-orm 0.44, from 0.44.5 on, and 0.45: ` +
      "install one of them, or use @tangled/rqlite-drizzle-v1, which is for drizzle-orm 1.0",
  );
}
