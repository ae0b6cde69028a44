import type { SqlQuery } from "@prisma/driver-adapter-utils";

/** The error for another Prisma than those that the adapter is for. */
export function otherVersion(): TypeError {
  return new TypeError(
    "Cannot be the adapter of this version of @prisma/client: @tangled/rqlite-prisma is for " +
      "Prisma 7 (npm install prisma@7 @prisma/client@7, then prisma generate)",
  );
}

/**
 * Prisma 7 tells of every argument what it is; before, it told it in other words.
 *
 * @throws {TypeError} If it is another Prisma that calls.
 */
export function checkQuery({ args, argTypes }: SqlQuery): void {
  const types: readonly unknown[] | undefined = argTypes;
  if (!Array.isArray(types) || types.length < args.length) throw otherVersion();
  if (types.some((type) => typeof type !== "object" || type === null)) {
    throw otherVersion();
  }
}
