/**
 * Are all nodes of a cluster equal, and if not, where and why.
 *
 * @module
 */

export { verifyReplicas } from "./verify.ts";
export type { Difference, Verification, VerifyOptions } from "./verify.ts";
export type { Hazard, HazardKind } from "./hazards.ts";
