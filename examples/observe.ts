/**
 * What a program asks its database for: as lines of a log, and as spans of OpenTelemetry.
 *
 *     deno run -A examples/observe.ts                               in memory
 *     deno run -A examples/observe.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project these are "@tangled/rqlite" and "@tangled/rqlite/observe".
import {
  BasicTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { connect, type ConnectOptions } from "../mod.ts";
import { logQueries, openTelemetry } from "../src/observe/mod.ts";
import { done, heading } from "./terminal.ts";
import { target } from "./target.ts";

// In your project an exporter sends them to a collector.
const spans: ReadableSpan[] = [];
const provider = new BasicTracerProvider({
  spanProcessors: [
    new SimpleSpanProcessor({
      export: (ended, told) => {
        spans.push(...ended);
        told({ code: 0 });
      },
      shutdown: () => Promise.resolve(),
    }),
  ],
});

const lines: string[] = [];
const options: ConnectOptions = {
  interceptors: [
    logQueries((line) => lines.push(line)),
    openTelemetry(provider.getTracer("example")),
  ],
};
const at = target();
const db = connect(typeof at === "string" ? { url: at, ...options } : { ...at, ...options });

await db.script(`
  DROP TABLE IF EXISTS demo_stock;
  CREATE TABLE demo_stock(name TEXT PRIMARY KEY, n INTEGER CHECK (n >= 0));
  INSERT INTO demo_stock VALUES('tea', 3), ('coffee', 0);
`);
for (const name of ["tea", "coffee"]) {
  await db.transaction(async (tx) => {
    const n = await tx.value<number>("SELECT n FROM demo_stock WHERE name = ?", [name]);
    await tx.execute("UPDATE demo_stock SET n = ? WHERE name = ?", [n! - 1, name]);
  }).catch(() => {});
}

heading("The log");
for (const line of lines) done(line);

heading("The spans");
for (const span of spans.filter(({ parentSpanContext }) => parentSpanContext === undefined)) {
  done(titleOf(span));
  const { spanId } = span.spanContext();
  for (const child of spans.filter((one) => one.parentSpanContext?.spanId === spanId)) {
    done(`  ${titleOf(child)}`);
  }
}
await db.close();

/** Its name, and why it failed, if it did. */
function titleOf({ name, attributes }: ReadableSpan): string {
  const { "error.type": error } = attributes;
  return error === undefined ? name : `${name} (${error})`;
}
