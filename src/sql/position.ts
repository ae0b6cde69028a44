import type { Position } from "../errors.ts";

/** Line and column of an offset. */
export function positionOf(sql: string, offset: number): Position {
  const lines = sql.slice(0, offset).split("\n");
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

/** As a message says it. */
export function atPlace({ line, column }: Position): string {
  return `line ${line}, column ${column}`;
}
