import { described } from "../sql/form.ts";

/**
 * Checks the function that a caller has to give.
 *
 * @param call How it is given, for the message.
 * @throws {TypeError} If it is none.
 */
export function checkFunction(fn: unknown, call: string): void {
  if (typeof fn === "function") return;
  throw new TypeError(`Cannot use \`fn\` as it is ${described(fn)}: write ${call}`);
}
