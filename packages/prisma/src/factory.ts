import type {
  SqlDriverAdapter,
  SqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils";
import type { Client } from "@tangled/rqlite";
import { inspect } from "@tangled/rqlite/inspect";
import { NAME, RqliteAdapter } from "./adapter.ts";
import { isRewritten, rewritten } from "./columns.ts";
import { knownError } from "./errors.ts";
import {
  type Connector,
  connectorOf,
  type PrismaRqliteOptions,
  type PrismaRqliteTarget,
  resolveOptions,
  type TimestampFormat,
} from "./options.ts";
import { otherVersion } from "./versions.ts";

/**
 * The driver adapter: what `new PrismaClient({ adapter })` takes, for a schema with `provider = "sqlite"`.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { PrismaRqlite } from "@tangled/rqlite-prisma";
 *
 * // Of a server, of what connect() takes, or of a client that the rest of the program uses too.
 * const ofServer = new PrismaRqlite("http://localhost:4001?level=weak");
 * const ofOptions = new PrismaRqlite({ url: "http://localhost:4001", username: "ada", password: "…" });
 * const client = connect(embedded());
 * const ofClient = new PrismaRqlite({ client });
 * console.log(ofServer.provider, ofOptions.provider, ofClient.provider); // sqlite sqlite sqlite
 * await client.close();
 * ```
 */
export class PrismaRqlite implements SqlMigrationAwareDriverAdapterFactory {
  /** What Prisma makes SQL for. */
  readonly provider = "sqlite";
  /** The name of this package. */
  readonly adapterName: string = NAME;
  readonly #connector: Connector;
  readonly #shadow: Connector | undefined;
  readonly #format: TimestampFormat;

  /**
   * Sends nothing.
   *
   * @param target Where the database is.
   * @throws {TypeError|RangeError} If the target or an option has the wrong form.
   */
  constructor(target: PrismaRqliteTarget, options?: PrismaRqliteOptions) {
    const { timestampFormat, shadow } = resolveOptions(options);
    this.#format = timestampFormat;
    this.#shadow = shadow;
    this.#connector = connectorOf(target);
  }

  /**
   * Called by Prisma before its first query.
   *
   * @throws {Error} With `timestampFormat: "unixepoch-ms"`, if a table has a column that cannot hold it.
   */
  async connect(): Promise<SqlDriverAdapter> {
    return await this.#adapterOf(this.#connector);
  }

  /**
   * Called by tools of Prisma that try migrations out.
   *
   * @throws {TypeError} Without `shadowDatabase`.
   */
  async connectToShadowDb(): Promise<SqlDriverAdapter> {
    if (this.#shadow !== undefined) return await this.#adapterOf(this.#shadow);
    throw new TypeError(
      "Cannot try migrations out as there is no database for it: give `shadowDatabase`, such as `embedded()`",
    );
  }

  /** What Prisma 6.5 and older look for. @throws {NotSupportedError} Always, as it says which versions work. */
  get queryRaw(): never {
    throw otherVersion();
  }

  /** The same, of Prisma 5. @throws {NotSupportedError} Always. */
  get transactionContext(): never {
    throw otherVersion();
  }

  async #adapterOf(connector: Connector): Promise<SqlDriverAdapter> {
    const source = connector();
    try {
      if (this.#format === "unixepoch-ms") await checkColumns(source.client);
    } catch (error) {
      if (source.owned) await source.client.close();
      throw knownError(error, false);
    }
    return new RqliteAdapter(source, this.#format);
  }
}

async function checkColumns(client: Client): Promise<void> {
  const { tables } = await inspect(client);
  const column = tables.flatMap(({ columns }) => columns).find(({ type }) => isRewritten(type));
  if (column !== undefined) throw rewritten(column.name);
}
