/**
 * The first line below an error's message that is of a program.
 *
 * Where its process has a server of its own, Node sometimes names its queue of promises first.
 */
export function callerLine({ message, stack = "" }: Error): string {
  const [, ...lines] = stack.replace(message, "message").split("\n");
  return lines.find((line) => !line.includes("(node:internal/")) ?? "";
}
