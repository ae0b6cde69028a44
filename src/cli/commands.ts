import type { Command } from "./command.ts";
import { backup, dump } from "./copy.ts";
import { doctor } from "./doctor.ts";
import { importRows } from "./import.ts";
import { migrateDown, migrateNew, migrateStatus, migrateUp } from "./migrate.ts";
import { nodes } from "./nodes.ts";
import { query } from "./query.ts";
import { restore } from "./restore.ts";
import { script } from "./script.ts";
import { types } from "./types.ts";
import { watch } from "./watch.ts";

/** All commands, as the help lists them. */
export const COMMANDS: readonly Command[] = [
  query,
  watch,
  script,
  importRows,
  migrateUp,
  migrateDown,
  migrateStatus,
  migrateNew,
  types,
  dump,
  backup,
  restore,
  nodes,
  doctor,
];
