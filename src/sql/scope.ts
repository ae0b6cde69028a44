/**
 * Which part of the database a statement is about: `main`, of which all nodes have the same, or what one connection has
 * for itself.
 *
 * @module
 */

import type { TokenView } from "./token_view.ts";

/** What a statement does to something that is not part of the database that all nodes have. */
export type Foreign = "temporary" | "schema" | "file";

/**
 * What of a write or DDL would be a node's own: CREATE TEMP, another schema than `main` in the name of what it writes, or
 * VACUUM into a file.
 *
 * @param at The index of its main keyword.
 */
export function foreignTarget(view: TokenView, at: number): Foreign | undefined {
  if (view.isWord(at, "VACUUM")) return vacuums(view, at);
  if (view.isWord(at, "CREATE") && view.isOneOf(at + 1, TEMPORARY)) return "temporary";
  const name = nameAt(view, at);
  const whole = !view.is(name + 1, ".");
  // ANALYZE and REINDEX take a schema as well as what is in it.
  if (whole && !view.isOneOf(at, ["ANALYZE", "REINDEX"])) return undefined;
  const schema = view.isName(name) ? view.name(name).toLowerCase() : "main";
  if (whole) return TEMPORARY_SCHEMA.test(schema) ? "temporary" : undefined;
  return schema === "main" ? undefined : schema === "temp" ? "temporary" : "schema";
}

/** Its name, and those of its own table. */
const TEMPORARY_SCHEMA = /^(temp|sqlite_temp_(master|schema))$/;

const TEMPORARY: readonly string[] = ["TEMP", "TEMPORARY"];

/** Whether anything but the database itself, under its own name or none, is named. */
function vacuums(view: TokenView, at: number): Foreign | undefined {
  const named = view.isName(at + 1) && view.name(at + 1).toLowerCase() === "main";
  return view.tokens.length > at + (named ? 2 : 1) ? "file" : undefined;
}

/** The index of the name behind the words that come before it. */
function nameAt(view: TokenView, at: number): number {
  let i = at + 1;
  if (view.isWord(i, "OR")) i += 2;
  while (view.isOneOf(i, INTRODUCING) && view.isName(i + 1)) i++;
  return i;
}

/** Words in front of the name, none of which may be one itself where another name follows. */
const INTRODUCING: readonly string[] =
  "EXISTS FROM IF INDEX INTO NOT TABLE TRIGGER UNIQUE VIEW VIRTUAL".split(" ");
