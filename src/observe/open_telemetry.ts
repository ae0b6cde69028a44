import type { Call, CallOutcome, CallStatement, Interceptor } from "../calls/interceptor.ts";
import { RqliteError } from "../errors.ts";
import { refused } from "../options.ts";
import { contextOfCall, contextOfTransaction } from "./contexts.ts";
import { messageOf, shortened, summaryOf, textOf, verbOf } from "./query_text.ts";
import type { Attributes, Meter, Span, Tracer } from "./telemetry.ts";

/** The kind of a span that is a client's. */
const CLIENT = 2;

/** The status of a span that failed. */
const ERROR = 2;

/** The boundaries that the conventions advise, in seconds. */
const BOUNDARIES = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

/**
 * An interceptor that makes a span of each call, and measures how long it took, by OpenTelemetry's stable conventions for
 * databases. The span of a transaction has those of its calls as children.
 *
 * Nothing of OpenTelemetry is imported. `db.query.text` has no values: it is as written where the values are parameters,
 * else with `?` for each literal.
 *
 * @param tracer What `trace.getTracer("…")` answers.
 * @param meter What `metrics.getMeter("…")` answers, for `db.client.operation.duration`.
 * @throws {TypeError} If one of them is none.
 *
 * @example
 * ```ts ignore
 * import { metrics, trace } from "@opentelemetry/api";
 *
 * const telemetry = openTelemetry(trace.getTracer("shop"), metrics.getMeter("shop"));
 * const db = connect("http://localhost:4001", { interceptors: [telemetry] });
 * ```
 */
export function openTelemetry(tracer: Tracer, meter?: Meter): Interceptor {
  checkMethod(tracer, "tracer", "startActiveSpan", "trace.getTracer(name)");
  if (meter !== undefined) {
    checkMethod(meter, "meter", "createHistogram", "metrics.getMeter(name)");
  }
  const durations = meter?.createHistogram("db.client.operation.duration", {
    description: "Duration of database client operations.",
    unit: "s",
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });
  /** The spans of transactions that run, by the names of those. */
  const transactions = new Map<string, Span>();
  return (next) => (call) => {
    const { transaction } = call;
    const begun = call.operation === "transaction" ? transaction : undefined;
    const known = transaction === undefined ? undefined : transactions.get(transaction);
    const context = begun === undefined
      ? contextOfCall(transaction, known)
      : contextOfTransaction(begun);
    const node = call.nodes.length === 1 ? call.nodes[0] : "";
    const attributes = { ...operationOf(call), ...addressOf(node) };
    const started = performance.now();
    const run = async (span: Span): Promise<CallOutcome> => {
      if (begun !== undefined) transactions.set(begun, span);
      const found: Attributes = {};
      try {
        return await noting(span, found, () => next(call));
      } finally {
        if (begun !== undefined) transactions.delete(begun);
        span.setAttributes(found);
        span.end();
        // What a transaction does besides its calls is the program's own.
        if (begun === undefined) {
          const { "db.query.text": _, "db.operation.batch.size": __, ...measured } = attributes;
          durations?.record((performance.now() - started) / 1000, { ...measured, ...found });
        }
      }
    };
    const options = { kind: CLIENT, attributes };
    return tracer.startActiveSpan(nameOf(call, attributes), options, context, run);
  };
}

/** Makes a call, and adds to the attributes which node answered, and what failed. */
async function noting(
  span: Span,
  found: Attributes,
  make: () => Promise<CallOutcome>,
): Promise<CallOutcome> {
  try {
    const outcome = await make();
    Object.assign(found, addressOf(outcome.node));
    return outcome;
  } catch (error) {
    const message = error instanceof RqliteError ? { message: messageOf(error) } : {};
    span.setStatus({ code: ERROR, ...message });
    Object.assign(found, addressOf((error as { node?: string } | undefined)?.node));
    Object.assign(found, failureOf(error));
    throw error;
  }
}

function checkMethod(value: unknown, name: string, method: string, source: string): void {
  const { [method]: found } = Object(value) as Record<string, unknown>;
  if (typeof found !== "function") throw refused(name, `what ${source} answers`, value);
}

/** What a call does, without where. */
function operationOf(call: Call): Attributes {
  const { operation, statements } = call;
  const system = { "db.system.name": "rqlite" };
  const [first] = statements;
  if (first === undefined) return { ...system, "db.operation.name": operation };
  const text = { "db.query.text": shortened(same(statements, (one) => textOf(call, one), "; ")) };
  if (statements.length === 1) {
    const verb = verbOf(first);
    return {
      ...system,
      ...text,
      ...(verb !== "" && { "db.operation.name": verb, "db.query.summary": summaryOf(first) }),
    };
  }
  return {
    ...system,
    ...text,
    "db.operation.name": batchOf(statements, verbOf),
    "db.operation.batch.size": statements.length,
    "db.query.summary": batchOf(statements, summaryOf),
  };
}

/** How many statements of a batch are looked at: the others are most likely of the same kind, or told no more. */
const MOST_STATEMENTS = 100;

/** What the statements of a batch have in common, behind `BATCH`. */
function batchOf(
  statements: readonly CallStatement[],
  of: (statement: CallStatement) => string,
): string {
  const common = same(statements, of);
  return common === "" ? "BATCH" : `BATCH ${common}`;
}

/** What is told of all statements alike, or else of each, with something in between; "" without that. */
function same(
  statements: readonly CallStatement[],
  of: (statement: CallStatement) => string,
  between?: string,
): string {
  const all = statements.slice(0, MOST_STATEMENTS).map(of);
  const [first = ""] = all;
  if (all.every((one) => one === first)) return first;
  return between === undefined ? "" : all.join(between);
}

/** Where it is done. */
function addressOf(node: string | undefined): Attributes {
  if (node === undefined || !URL.canParse(node)) return {};
  const { hostname, port, protocol } = new URL(node);
  const number = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  return { "server.address": hostname.replace(/^\[|\]$/g, ""), "server.port": number };
}

function failureOf(error: unknown): Attributes {
  if (error instanceof RqliteError) {
    const { code } = error;
    const status = code.startsWith("SQLITE_") && { "db.response.status_code": code };
    return { "error.type": code, ...status };
  }
  return { "error.type": error instanceof Error ? error.name : typeof error };
}

function nameOf({ operation }: Call, attributes: Attributes): string {
  const { "db.query.summary": summary, "server.address": address, "server.port": port } =
    attributes;
  if (summary !== undefined) return String(summary);
  return address === undefined ? operation : `${operation} ${address}:${port}`;
}
