/**
 * What is loaded together, as programs seldom need it.
 *
 * @module
 */

export { administer, enqueue } from "./administration.ts";
export { insertMany } from "./insert_many.ts";
export { runScript } from "./script.ts";
