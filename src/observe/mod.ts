/**
 * What looks at the calls of a client: a log of queries, and spans and measurements for OpenTelemetry. Both are
 * interceptors, for `connect({ interceptors })`.
 *
 * @module
 */

export { logQueries } from "./log_queries.ts";
export type { LogQueriesOptions, QueryLog } from "./log_queries.ts";
export { openTelemetry } from "./open_telemetry.ts";
export type {
  Attributes,
  Context,
  HistogramOptions,
  Meter,
  Span,
  SpanOptions,
  Tracer,
} from "./telemetry.ts";
export type { Call, CallOutcome, CallStatement, Interceptor } from "../calls/interceptor.ts";
