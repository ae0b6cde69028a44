/** `node:assert/strict` where there is no Node: the package of the same interface. */
import "./process.ts";
import assert from "assert";

export default assert.strict;
