import { type Client, connect, type ConnectOptions } from "@tangled/rqlite";
import { type Checks, readOptions } from "@tangled/rqlite/driver";

/** Where {@linkcode PrismaRqlite} finds the database: what `connect` takes, or a client that is there already. */
export type PrismaRqliteTarget =
  | string
  | URL
  | readonly (string | URL)[]
  | ConnectOptions
  | {
    /** A client that the caller keeps: `prisma.$disconnect()` leaves it open. */
    client: Client;
  };

/** How a DateTime is stored: text such as `2024-01-02T03:04:05.678+00:00`, or the milliseconds since 1970. */
export type TimestampFormat = "iso8601" | "unixepoch-ms";

/** What {@linkcode PrismaRqlite} takes besides its target. */
export interface PrismaRqliteOptions {
  /**
   * How a DateTime is stored. "unixepoch-ms" is what Prisma's own engine for SQLite did up to version 6; it needs columns
   * declared INTEGER or BIGINT, since the server rewrites the numbers in a column declared DATETIME.
   *
   * @default {"iso8601"}
   */
  timestampFormat?: TimestampFormat | undefined;
  /** The database in which tools of Prisma try migrations out, such as `embedded()`; all of it is theirs. */
  shadowDatabase?: Exclude<PrismaRqliteTarget, { client: Client }> | undefined;
}

/** A client, and who closes it. */
export interface Source {
  /** What statements run on. */
  readonly client: Client;
  /** Whether it was made here, and goes with the adapter. */
  readonly owned: boolean;
}

/** Makes a {@linkcode Source} for each connection. */
export type Connector = () => Source;

const FORMATS: readonly unknown[] = ["iso8601", "unixepoch-ms"];

const OPTIONS: Checks<PrismaRqliteOptions> = {
  timestampFormat(value) {
    if (FORMATS.includes(value)) return;
    throw new TypeError(
      'Cannot use `timestampFormat` as it must be "iso8601" or "unixepoch-ms"',
    );
  },
  // `connect` checks it.
  shadowDatabase() {},
};

const BESIDE: Checks<{ client: Client }> = {
  client(value) {
    if (typeof (value as Partial<Client> | null)?.begin === "function") return;
    throw new TypeError(
      "Cannot use `client` as it must be what `connect` answers",
    );
  },
};

/**
 * Reads the options of {@linkcode PrismaRqlite}.
 *
 * @throws {TypeError} If one is unknown or has the wrong form.
 */
export function resolveOptions(
  options: PrismaRqliteOptions | undefined,
): {
  readonly timestampFormat: TimestampFormat;
  readonly shadow: Connector | undefined;
} {
  const { timestampFormat = "iso8601", shadowDatabase } = readOptions(
    options,
    OPTIONS,
  );
  return {
    timestampFormat,
    shadow: shadowDatabase === undefined ? undefined : connectorOf(shadowDatabase),
  };
}

/**
 * What makes the client of a connection. The first one is made at once, without a request, so that a wrong target is
 * noticed where it is written.
 *
 * @throws {TypeError|RangeError} If the target has the wrong form.
 */
export function connectorOf(target: PrismaRqliteTarget): Connector {
  if (target === undefined) {
    throw new TypeError(
      "Cannot make the adapter without a target: give it a URL, options of `connect` or `{ client }`",
    );
  }
  if (hasClient(target)) {
    const { client } = readOptions(target, BESIDE);
    return () => ({ client, owned: false });
  }
  let first: Client | undefined = connect(target);
  return () => {
    const client = first ?? connect(target);
    // Prisma connects again after it was disconnected.
    first = undefined;
    return { client, owned: true };
  };
}

function hasClient(target: PrismaRqliteTarget): target is { client: Client } {
  return typeof target === "object" && target !== null && "client" in target;
}
