/**
 * The changes of a database as they happen, and queries that follow them: what rqlite from 9.0 on sends by CDC.
 *
 * @module
 */

export type { Change, ChangeIntegers } from "./change.ts";
export { cdcConfig } from "./config.ts";
export type { CdcConfigOptions, CdcTls } from "./config.ts";
export { changeFeed } from "./feed.ts";
export type { ChangeFeed } from "./feed.ts";
export { live } from "./live.ts";
export type { ChangeSource, Live, LiveOptions, LiveResponseOptions } from "./live.ts";
export type { ChangeFeedOptions } from "./options.ts";
