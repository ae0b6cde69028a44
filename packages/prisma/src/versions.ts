import type { SqlQuery } from "@prisma/driver-adapter-utils";
import { NotSupportedError } from "@tangled/rqlite";

/** The error for another Prisma than those that the adapter is for. */
export function otherVersion(): NotSupportedError {
  return new NotSupportedError(
    "Cannot be the adapter of this version of @prisma/client, as @tangled/rqlite-prisma is for " +
      "Prisma 7: npm install prisma@7 @prisma/client@7, and npx prisma generate",
  );
}

/**
 * Prisma 7 tells of every argument what it is; before, it told it in other words.
 *
 * @throws {NotSupportedError} If it is another Prisma that calls.
 */
export function checkQuery({ args, argTypes }: SqlQuery): void {
  const types: readonly unknown[] | undefined = argTypes;
  if (!Array.isArray(types) || types.length < args.length) throw otherVersion();
  if (types.some((type) => typeof type !== "object" || type === null)) {
    throw otherVersion();
  }
}
