import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "./analyse.ts";
import { type Bindable, bindable, described, isRecord } from "./bindable.ts";
import { MAX_PARAMETERS, type Placeholder, withFewer } from "./placeholders.ts";

/**
 * The value of each number, from 1 at index 0.
 *
 * @param params A list for `?` or an object for names, with or without `:`, `@` or `$`.
 * @throws {ProgrammingError} If the values do not match the placeholders.
 * @throws {TypeError|RangeError} If a value cannot be bound.
 */
export function resolveParams(
  analysis: Analysis,
  params: unknown,
  statementIndex: number | undefined,
): Bindable[] {
  const fail = (message: string): never => {
    throw new ProgrammingError(message, {
      sql: analysis.source,
      ...(statementIndex === undefined ? {} : { statementIndex }),
    });
  };
  if (params === undefined) params = [];
  if (Array.isArray(params)) return resolveList(analysis, params, fail);
  if (isRecord(params)) return resolveRecord(analysis, params, fail);
  throw new TypeError(
    `Cannot bind ${described(params)} as params: give a list, [value], or an object of names`,
  );
}

/** What was meant for another argument. */
const OPTIONS = /^(level|timeout|signal|rows|integers|freshness|guard|by|pageSize)\b/;

type Fail = (message: string) => never;

function resolveList(analysis: Analysis, values: readonly unknown[], fail: Fail): Bindable[] {
  const { parameterCount: count } = analysis;
  if (values.length > MAX_PARAMETERS) {
    fail(
      `Cannot bind ${values.length} parameters as SQLite takes at most ${MAX_PARAMETERS}` +
        withFewer(analysis.verb),
    );
  }
  const named = analysis.placeholders.find(({ name }) => name !== undefined);
  if (named !== undefined) fail(listForNames(analysis, values.length));
  if (values.length !== count) {
    fail(
      `Cannot bind ${counted(values.length, "value")} as the statement has ` +
        counted(count, "placeholder") + quotedHint(analysis, values.length),
    );
  }
  const bound = new Array<Bindable>(count);
  for (let i = 0; i < count; i++) bound[i] = bindable(values[i], i + 1);
  return bound;
}

/** LIKE '%?%' has none. */
function quotedHint({ parameterCount, source }: Analysis, given: number): string {
  const quoted = given > parameterCount && /'[^']*\?/.test(source);
  return quoted ? ": a ? within quotes is text, write '%' || ? || '%'" : "";
}

function listForNames(analysis: Analysis, given: number): string {
  const names = placeholderTexts(analysis, ({ name }) => name !== undefined);
  if (given === 0) return `Cannot run the statement without values for ${names}`;
  const mixed = analysis.placeholders.some(({ name }) => name === undefined);
  if (mixed) return `Cannot bind values as the statement mixes ? with ${names}: use one of the two`;
  const remedy = /^\$\d/.test(names) ? "write ?1 for $1" : "give an object of names";
  return `Cannot bind a list as the statement names its parameters ${names}: ${remedy}`;
}

function resolveRecord(
  analysis: Analysis,
  record: Readonly<Record<string, unknown>>,
  fail: Fail,
): Bindable[] {
  const keys = new Set(Object.keys(record));
  const bound = new Array<Bindable>(analysis.parameterCount);
  const missing = new Set<string>();
  const unused = new Set(keys);
  for (const placeholder of analysis.placeholders) {
    const { start, end, name } = placeholder;
    if (name === undefined) return fail(recordForPositions(analysis, keys.size));
    const text = analysis.text.slice(start, end);
    const key = keys.has(text) ? text : name;
    unused.delete(key);
    if (!keys.has(key)) missing.add(text);
    else bound[placeholder.index - 1] ??= bindable(record[key], text);
  }
  if (missing.size > 0) fail(`Cannot run the statement without values for ${listed(missing)}`);
  if (unused.size > 0) {
    const remedy = OPTIONS.test(listed(unused)) ? ": options come behind the params" : "";
    fail(
      `Cannot bind ${listed(unused)} as the statement has no such ${plural(unused.size)}${remedy}`,
    );
  }
  return bound;
}

function recordForPositions(analysis: Analysis, given: number): string {
  const names = placeholderTexts(analysis, ({ name }) => name !== undefined);
  if (names !== "") {
    return `Cannot bind values as the statement mixes ? with ${names}: use one of the two`;
  }
  return given === 0
    ? `Cannot bind 0 values as the statement has ${counted(analysis.parameterCount, "placeholder")}`
    : "Cannot bind an object of names as the statement has ? placeholders: give a list";
}

function placeholderTexts(analysis: Analysis, include: (one: Placeholder) => boolean): string {
  const texts = analysis.placeholders.filter(include)
    .map(({ start, end }) => analysis.text.slice(start, end));
  return listed(new Set(texts));
}

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 10).join(", ");
  return names.size > 10 ? `${shown} and ${names.size - 10} more` : shown;
}

function plural(count: number): string {
  return count === 1 ? "parameter" : "parameters";
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
