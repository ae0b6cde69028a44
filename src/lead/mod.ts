/**
 * Leadership: of all processes that want to, one at a time does the work, and another one follows when it ends or dies.
 *
 * @module
 */

export { lead } from "./lead.ts";
export type { Leadership, LeadOptions } from "./lead.ts";
