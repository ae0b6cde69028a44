import type { Client } from "../client/client.ts";
import { ConnectionError, RqliteError } from "../errors.ts";
import { type Given, milliseconds, readArguments } from "./arguments.ts";
import { backup, dump } from "./backup.ts";
import type { Command, Options, Session } from "./command.ts";
import { doctor } from "./doctor.ts";
import { exitCodeOf, PipeClosed, Stopped, UsageError } from "./exit.ts";
import { helpOf, helpOfAll, PROGRAM } from "./help.ts";
import { importRows } from "./import.ts";
import { Input } from "./input.ts";
import { migrateDown, migrateNew, migrateStatus, migrateUp } from "./migrate.ts";
import { nodes } from "./nodes.ts";
import { Output } from "./output.ts";
import { Progress } from "./progress.ts";
import { query, script } from "./query.ts";
import { restore } from "./restore.ts";
import { Interruption, type Surroundings } from "./surroundings.ts";
import { open, readTarget } from "./target.ts";
import { harmless, painter, wantsColours } from "./terminal.ts";
import { types } from "./types.ts";
import { watch } from "./watch.ts";

/** All commands, as the help lists them. */
const COMMANDS: readonly Command[] = [
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

/**
 * Runs one command line to its end, as `deno run -A jsr:@tangled/rqlite/cli` does.
 *
 * @param args What stands behind the name of the program, such as `["query", "SELECT 1"]`.
 * @param around Streams, the environment, and a signal: `{ ...process, signal }`, or others.
 * @returns The exit code: 0 where it was done, 1 where it failed, 2 where the command line is wrong, 3 where `doctor`
 * finds a difference, 4 where it cannot be told whether a write was applied, 130 or 143 where it was interrupted, and 141
 * where nobody reads the output any more. Nothing is thrown.
 *
 * @example
 * ```ts ignore
 * import { main } from "@tangled/rqlite/cli";
 * import process from "node:process";
 *
 * process.exitCode = await main(["query", "SELECT 1 AS one"], process);
 * ```
 */
export async function main(args: readonly string[], around: Surroundings): Promise<number> {
  const colours = wantsColours(around.env);
  // What is wrong with the command line is told before its options are known.
  const json = args.slice(0, [...args, "--"].indexOf("--")).includes("--json");
  const output = new Output(around, { json, colours });
  const progress = new Progress(output, around.stderr.isTTY === true);
  try {
    return await run(args, around, output, progress) ?? 0;
  } catch (error) {
    await progress.end();
    if (!(error instanceof PipeClosed)) {
      await output.tell(messageOf(error, output.json, around, colours));
    }
    return exitCodeOf(error);
  } finally {
    await progress.end();
  }
}

async function run(
  args: readonly string[],
  around: Surroundings,
  output: Output,
  progress: Progress,
): Promise<number | void> {
  const wantsHelp = args[0] === "help";
  const given = readArguments(wantsHelp ? [...args.slice(1), "--help"] : args, COMMANDS);
  const { command, values } = given;
  if (command !== undefined && !values.help) {
    return await runCommand(command, given, around, output, progress);
  }
  const text = command === undefined
    ? helpOfAll(COMMANDS, output.paint)
    : helpOf(command, output.paint);
  if (values.help) return await output.write(text);
  await output.tell(text);
  return exitCodeOf(new UsageError());
}

/** Runs a command with a client of its own, which is made when the command asks for it. */
async function runCommand(
  command: Command,
  { values, operands }: Given,
  { stdin, env, signal = new AbortController().signal }: Surroundings,
  output: Output,
  progress: Progress,
): Promise<number | void> {
  const input = new Input(stdin, output, signal);
  const target = readTarget(values, env);
  const { place, embedded } = target;
  const timeout = values.timeout === undefined
    ? undefined
    : milliseconds("timeout", values.timeout);
  let client: Client | undefined;
  const connect: Session<Options>["connect"] = async (options) =>
    client ??= await open(target, values, { env, input, timeout, ...options });
  try {
    return await command.run({
      ...{ values, operands, place, embedded, timeout, signal },
      ...{ connect, input, output, progress },
    });
  } catch (error) {
    if (!(error instanceof ConnectionError) || !target.assumed) throw error;
    const hint = ". Neither --url nor RQLITE_URL says another place";
    throw new ConnectionError(error.message + hint, { cause: error });
  } finally {
    await client?.close();
  }
}

/** What is said of an error. */
function messageOf(
  error: unknown,
  json: boolean,
  { stderr }: Surroundings,
  colours: boolean,
): string {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (json) {
    const code = error instanceof RqliteError ? { code: error.code } : {};
    return `${JSON.stringify({ error: { name, message, ...code } })}\n`;
  }
  const { red } = painter(stderr, colours);
  const text = message.split("\n").map(harmless).join("\n");
  if (error instanceof UsageError) {
    return `${red("✗")} ${text}\n  ${PROGRAM} help tells what there is\n`;
  }
  if (error instanceof Stopped) return `${red("✗")} Interrupted: ${text}\n`;
  const what = error instanceof Interruption ? "Interrupted" : `${name}: ${text}`;
  return `${red("✗")} ${what}\n`;
}
