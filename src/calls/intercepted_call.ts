import { InterfaceError } from "../errors.ts";
import { isSignal, kindOf, unknownOption } from "../options.ts";
import { copyStatement, type Statement } from "../sql/statement.ts";
import type { Call, CallStatement } from "./interceptor.ts";

/** What an interceptor may give something else for. */
const OPEN: readonly string[] = ["statements", "signal"];

/**
 * What was passed on.
 *
 * @param call As it was made. @param forms Its statements. @param single It runs one, no more and no less.
 * @throws {InterfaceError} If something else of it was changed, or it has another form.
 */
export function readCall(
  passed: Call,
  call: Call,
  forms: readonly Statement[],
  single: boolean,
): { readonly forms: readonly Statement[]; readonly signal: AbortSignal | undefined } {
  if (typeof passed !== "object" || passed === null) throw unreadable(kindOf(passed));
  const { statements, signal } = passed;
  const names = [...Object.keys(call), ...OPEN];
  for (const name of Object.keys(passed)) {
    if (!names.includes(name)) {
      throw new InterfaceError(unknownOption(name, names, "member of a call").message);
    }
    const key = name as keyof Call;
    if (OPEN.includes(name) || passed[key] === call[key]) continue;
    throw new InterfaceError(
      `An interceptor cannot change \`${name}\` of a call: pass it as it is`,
    );
  }
  const missing = ["operation", "transaction"].find((name) => name in call && !(name in passed));
  if (missing !== undefined) throw unreadable(`one without \`${missing}\``);
  const other = signal === call.signal ? undefined : signal;
  if (other !== undefined) isSignal(other, "signal");
  if (statements === call.statements) return { forms, signal: other };
  if (!Array.isArray(statements) || !statements.every(isStatement)) {
    throw unreadable("one whose statements are no list of { sql, params }");
  }
  const fits = single ? statements.length === 1 : (forms.length > 0 || statements.length === 0);
  if (!fits) {
    throw new InterfaceError(
      `An interceptor cannot pass on ${statements.length} statements for ${call.operation}: ` +
        (single ? "it runs one" : "it runs none"),
    );
  }
  const own = new Map(call.statements.map((statement, i) => [statement, forms[i]]));
  // A tuple as callers may give one, which is looked at like theirs.
  const formOf = (one: CallStatement) =>
    own.get(one) ?? copyStatement([one.sql, ...one.params] as Statement);
  return { forms: statements.map(formOf), signal: other };
}

function isStatement(value: unknown): value is CallStatement {
  const { sql, params } = Object(value) as Partial<CallStatement>;
  return typeof sql === "string" && Array.isArray(params);
}

function unreadable(what: string): InterfaceError {
  return new InterfaceError(
    `An interceptor cannot pass on ${what}: write next(call), or next({ ...call, statements })`,
  );
}
