import { DriverAdapterError, type MappedError } from "@prisma/driver-adapter-utils";
import {
  AuthenticationError,
  ConnectionError,
  DatabaseError,
  DataError,
  IntegrityError,
  InterfaceError,
  RqliteError,
  TimeoutError,
  TransactionConflictError,
} from "@tangled/rqlite";

/** An error of the client in the words of Prisma, which makes its own error of it. */
export class RqliteAdapterError extends DriverAdapterError {
  /** What the client threw. */
  readonly error: RqliteError;

  /** Made of an error and of what it is to Prisma. */
  constructor(error: RqliteError, kind: MappedError) {
    super({
      ...kind,
      originalCode: error.code,
      originalMessage: error.message,
    });
    this.error = error;
  }
}

/**
 * An error of the client under a code of Prisma's, with its own message. It has the form of the error that Prisma makes of
 * it, as at the end of a transaction Prisma hands over what was thrown.
 */
class KnownRequestError extends Error {
  /** As that of Prisma's class. */
  override readonly name = "PrismaClientKnownRequestError";
  /** Prisma's, such as P2034. */
  readonly code: string;
  /** The client's error, where Prisma puts that of an adapter. */
  readonly meta: Record<string, unknown>;
  /** The version that the adapter is for. */
  readonly clientVersion = "7";

  /** Made of an error and of what it is to Prisma. */
  constructor(error: RqliteError, code: string, kind: MappedError) {
    super(error.message, { cause: error });
    this.code = code;
    this.meta = { driverAdapterError: new RqliteAdapterError(error, kind) };
  }
}

/**
 * What to throw in place of an error of the client. Of what Prisma has no code for, the error itself: Prisma makes an error
 * of it that has its code, such as `ERR_OUTCOME_UNKNOWN`.
 */
export function adapterError(error: unknown, inTransaction: boolean): unknown {
  if (!(error instanceof RqliteError)) return error;
  // Prisma has one text for all of a code, and calls it P2010 where a raw query met it.
  if (error instanceof TransactionConflictError) {
    return new KnownRequestError(error, "P2034", {
      kind: "TransactionWriteConflict",
    });
  }
  if (error instanceof TimeoutError) {
    return new KnownRequestError(error, "P1008", { kind: "SocketTimeout" });
  }
  if (error instanceof InterfaceError) {
    return inTransaction
      ? new KnownRequestError(error, "P1018", closed(error))
      : new KnownRequestError(error, "P1017", { kind: "ConnectionClosed" });
  }
  if (error instanceof ConnectionError) {
    const address = addressOf(error.node);
    return new KnownRequestError(error, "P1001", { kind: "DatabaseNotReachable", ...address });
  }
  if (error instanceof AuthenticationError) {
    return new KnownRequestError(error, "P1000", { kind: "AuthenticationFailed" });
  }
  const kind = kindOf(error);
  return kind === undefined ? withMeta(error) : new RqliteAdapterError(error, kind);
}

/** The same where Prisma asks for no meaning: when a transaction ends, and when it connects. */
export function knownError(error: unknown, inTransaction: boolean): unknown {
  const mapped = adapterError(error, inTransaction);
  if (!(mapped instanceof RqliteAdapterError)) return mapped;
  return new KnownRequestError(mapped.error, CODES[mapped.cause.kind] ?? "P2039", mapped.cause);
}

/** Prisma's codes, for what can come of that. */
const CODES: Partial<Record<MappedError["kind"], string>> = {
  UniqueConstraintViolation: "P2002",
  ForeignKeyConstraintViolation: "P2003",
  NullConstraintViolation: "P2011",
  TableDoesNotExist: "P2021",
  ColumnNotFound: "P2022",
  InconsistentColumnData: "P2023",
};

function closed(error: InterfaceError): MappedError {
  return { kind: "TransactionAlreadyClosed", cause: error.message };
}

/** Prisma copies `meta` into the error that it makes. */
function withMeta(error: RqliteError): RqliteError {
  return Object.defineProperty(error, "meta", {
    value: { driverAdapterError: { error } },
    configurable: true,
    writable: true,
  });
}

function kindOf(error: RqliteError): MappedError | undefined {
  if (error instanceof IntegrityError) return constraintKind(error);
  if (error instanceof DataError) {
    return { kind: "InconsistentColumnData", cause: error.message };
  }
  if (error instanceof DatabaseError) return sqliteKind(error);
  return undefined;
}

function constraintKind(error: IntegrityError): MappedError {
  const { constraint, table, columns } = error;
  const fields = { fields: [...columns] };
  switch (constraint) {
    case "unique":
    case "primarykey":
    case "rowid":
      return {
        kind: "UniqueConstraintViolation",
        constraint: fields,
        ...(table !== undefined && { table }),
      };
    case "notnull":
      return { kind: "NullConstraintViolation", constraint: fields };
    case "foreignkey":
      return {
        kind: "ForeignKeyConstraintViolation",
        constraint: { foreignKey: {} },
      };
    default:
      return sqliteOf(error);
  }
}

/** Behind the name, an error of the client says where in the statement it stands. */
const NAME = "(.+?)(?: at line \\d+, column \\d+.* of the statement.*)?$";
const NO_TABLE = new RegExp(`no such table: ${NAME}`, "s");
const NO_COLUMN = new RegExp(
  `(?:no such column: |has no column named )${NAME}`,
  "s",
);

function sqliteKind(error: DatabaseError): MappedError | undefined {
  if (!error.code.startsWith("SQLITE_")) return undefined;
  if (/^SQLITE_(?:BUSY|LOCKED)/.test(error.code)) {
    return { kind: "SocketTimeout" };
  }
  const table = NO_TABLE.exec(error.message)?.[1];
  if (table !== undefined) return { kind: "TableDoesNotExist", table };
  const column = NO_COLUMN.exec(error.message)?.[1];
  if (column !== undefined) return { kind: "ColumnNotFound", column };
  return sqliteOf(error);
}

/** SQLite's extended codes of what reaches a statement. */
const EXTENDED: Readonly<Record<string, number>> = {
  SQLITE_CONSTRAINT: 19,
  SQLITE_CONSTRAINT_CHECK: 275,
  SQLITE_CONSTRAINT_TRIGGER: 1811,
  SQLITE_CONSTRAINT_DATATYPE: 3091,
  SQLITE_READONLY: 8,
  SQLITE_IOERR: 10,
  SQLITE_CORRUPT: 11,
  SQLITE_FULL: 13,
  SQLITE_TOOBIG: 18,
  SQLITE_MISMATCH: 20,
  SQLITE_AUTH: 23,
  SQLITE_RANGE: 25,
};

function sqliteOf({ code, message }: DatabaseError): MappedError {
  return { kind: "sqlite", extendedCode: EXTENDED[code] ?? 1, message };
}

function addressOf(node: string | undefined): { host?: string; port?: number } {
  if (node === undefined) return {};
  const { hostname, port, protocol } = new URL(node);
  const usual = protocol === "https:" ? 443 : 80;
  return { host: hostname, port: port === "" ? usual : Number(port) };
}
