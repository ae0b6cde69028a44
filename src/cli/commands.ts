import type { Command } from "./command.ts";
import { nodes } from "./nodes.ts";
import { query } from "./query.ts";
import { script } from "./script.ts";

/** All commands, as the help lists them. */
export const COMMANDS: readonly Command[] = [
  query,
  script,
  nodes,
];
