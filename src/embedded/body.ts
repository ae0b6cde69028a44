import { goTrim } from "./go_text.ts";
import { type Json, JsonError, JsonReader, NumberToken } from "./json_reader.ts";

/** What a parameter can be once it is bound. */
export type BoundValue = null | bigint | number | boolean | string | Uint8Array;

/** One parameter of a statement. */
export interface Argument {
  /** What it is called; "" for a positional one. */
  readonly name: string;
  /** Its value. */
  readonly value: BoundValue;
}

/** One statement as it was sent. */
export interface Statement {
  /** Its text. */
  readonly sql: string;
  /** Its parameters. */
  readonly args: readonly Argument[];
}

/** The request is wrong; the message is the answer's body. */
export class BadRequest extends Error {
  /** "BadRequest". */
  override readonly name = "BadRequest";
}

/**
 * The statements of a JSON body.
 *
 * @throws {BadRequest} with rqlite's own text
 */
export function parseStatements(body: string): Statement[] {
  try {
    return readStatements(new JsonReader(body));
  } catch (error) {
    if (error instanceof JsonError) throw new BadRequest("invalid JSON body");
    throw error;
  }
}

function readStatements(reader: JsonReader): Statement[] {
  if (!reader.take("[")) {
    if (reader.peek() !== "{") reader.value();
    throw new BadRequest("invalid request");
  }
  const statements: Statement[] = [];
  reader.elements(() => statements.push(readStatement(reader)));
  if (statements.length === 0) throw new BadRequest("no statements");
  return statements;
}

function readStatement(reader: JsonReader): Statement {
  if (reader.peek() === "{") throw new BadRequest("invalid request");
  const item = reader.value();
  if (typeof item === "string") return { sql: item, args: [] };
  if (!Array.isArray(item)) throw new BadRequest("invalid request");
  const [sql, ...params] = item;
  if (typeof sql !== "string") throw new BadRequest("invalid request");
  return { sql, args: params.flatMap(toArguments) };
}

function toArguments(item: Json): Argument[] {
  if (!(item instanceof Map)) return [{ name: "", value: toBound(item) }];
  return [...item].map(([name, value]) => ({ name, value: toBound(value) }));
}

function toBound(value: Json): BoundValue {
  if (value instanceof NumberToken) return toNumber(value.text);
  if (Array.isArray(value)) return Uint8Array.from(value, toByte);
  if (value instanceof Map) throw new BadRequest(`unsupported type ${goType(value)}`);
  return typeof value === "string" ? blobLiteral(value) ?? value : value;
}

function toNumber(text: string): bigint | number {
  const integer = toInt64(text);
  if (integer !== undefined) return integer;
  const real = Number(text);
  if (!Number.isFinite(real)) throw new BadRequest(`invalid number ${text}`);
  return real;
}

function toInt64(text: string): bigint | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const integer = BigInt(text);
  return BigInt.asIntN(64, integer) === integer ? integer : undefined;
}

function toByte(value: Json): number {
  if (!(value instanceof NumberToken)) throw new BadRequest(`unsupported type ${goType(value)}`);
  const integer = toInt64(value.text);
  if (integer === undefined || integer < 0n || integer > 255n) {
    throw new BadRequest(`unsupported type ${value.text}`);
  }
  return Number(integer);
}

/** What Go calls the type of a decoded JSON value. */
function goType(value: Json): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof Map) return "map[string]interface {}";
  return typeof value === "boolean" ? "bool" : "string";
}

function blobLiteral(text: string): Uint8Array | undefined {
  const hex = /^[xX]'((?:[0-9a-fA-F]{2})*)'$/.exec(goTrim(text))?.[1];
  if (hex === undefined) return undefined;
  const length = hex.length / 2;
  return Uint8Array.from({ length }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
