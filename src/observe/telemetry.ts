// What is used of OpenTelemetry's API, written down so that nothing has to be imported.

/** Attributes of a span or of a measurement. */
export type Attributes = Record<string, string | number>;

/** A span that runs. */
export interface Span {
  /** Adds attributes. */
  setAttributes(attributes: Attributes): unknown;
  /** Says how it ended; 2 is an error. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Ends it. */
  end(): void;
}

/** Values that go along with what runs. */
export interface Context {
  /** The value of a key. */
  getValue(key: symbol): unknown;
  /** The same with another value. */
  setValue(key: symbol, value: unknown): Context;
  /** The same without a value. */
  deleteValue(key: symbol): Context;
}

/** How a span begins. */
export interface SpanOptions {
  /** 2 is the client of something. */
  kind?: number;
  /** What is known at its beginning. */
  attributes?: Attributes;
}

/**
 * What `trace.getTracer()` answers.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { openTelemetry, type Tracer } from "@tangled/rqlite/observe";
 *
 * const tracer: Tracer = { // in a test, without OpenTelemetry
 *   startActiveSpan(name, options, _context, fn) {
 *     console.log(name, options.attributes?.["db.system.name"]); // SELECT rqlite
 *     const span = { setAttributes() {}, setStatus() {}, end() {} };
 *     return fn(span) as ReturnType<typeof fn>;
 *   },
 * };
 * const db = connect({ ...embedded(), interceptors: [openTelemetry(tracer)] });
 * await db.query("SELECT 1");
 * await db.close();
 * ```
 */
export interface Tracer {
  /** Begins a span, and runs `fn` with it as the active one. */
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>;
}

/** How a histogram is made. */
export interface HistogramOptions {
  /** What is measured. */
  description?: string;
  /** In what. */
  unit?: string;
  /** Where one bucket ends and the next begins. */
  advice?: { explicitBucketBoundaries?: number[] };
}

/** What `metrics.getMeter()` answers. */
export interface Meter {
  /** Makes a histogram. */
  createHistogram(
    name: string,
    options?: HistogramOptions,
  ): { record(value: number, attributes?: Attributes): void };
}
