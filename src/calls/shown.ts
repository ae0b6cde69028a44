/** What `console.log` asks an object for, on Deno, Bun and Node. */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * How an object that keeps everything to itself is printed: `Client { nodes: ["http://localhost:4001"], closed: false }`.
 *
 * @param facts What may be shown to anybody: no credentials, no headers, no values.
 */
export function shown(name: string, facts: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(facts).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${name} { ${parts.join(", ")} }`;
}
