import { parseArgs } from "node:util";
import { unknownOption } from "../options.ts";
import { type Command, type Options, SHARED, type Values } from "./command.ts";
import { UsageError } from "./exit.ts";
import { harmless } from "./terminal.ts";

/** What a command line says. */
export interface Given {
  /** The command; `undefined` if none is named. */
  readonly command: Command | undefined;
  /** What the options were given, by their names. */
  readonly values: Values<typeof SHARED> & Readonly<Record<string, unknown>>;
  /** What stands behind the name of the command, without the options. */
  readonly operands: readonly string[];
}

/**
 * Finds the command of a command line, and what it is given.
 *
 * @throws {UsageError} If there is no such command or option, or something is missing.
 */
export function readArguments(args: readonly string[], commands: readonly Command[]): Given {
  const { command, at } = findCommand(args, commands);
  const options: Options = { ...SHARED, ...command?.options };
  // What it says of mistakes is of each engine's own, so the tokens are judged here.
  const { tokens } = parseArgs({
    args: args.filter((_, i) => !at.includes(i)),
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const values: Record<string, string | boolean | string[]> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const option = Object.hasOwn(options, name) ? options[name] : undefined;
    if (option === undefined) throw noOption(rawName, options);
    if (option.type === "boolean") {
      if (value !== undefined) throw new UsageError(`Cannot use ${rawName} with a value`);
      values[name] = true;
    } else if (!value) {
      throw new UsageError(`Cannot use ${rawName} without a value: ${rawName} ${option.value}`);
    } else if (option.multiple) {
      values[name] = [...(values[name] as string[] | undefined) ?? [], value];
    } else if (values[name] === undefined) {
      values[name] = value;
    } else {
      throw new UsageError(`Cannot use ${rawName} twice`);
    }
  }
  if (command !== undefined && values["help"] === undefined) checkCount(command, operands);
  return { command, values, operands };
}

/** The command and where its words stand; options that all commands take may stand in front of it. */
function findCommand(
  args: readonly string[],
  commands: readonly Command[],
): { command: Command | undefined; at: readonly number[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: SHARED,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  const words = tokens.filter((token) => token.kind === "positional");
  const [first, second] = words;
  if (first === undefined) return { command: undefined, at: [] };
  if (second !== undefined) {
    const pair = `${first.value} ${second.value}`;
    const two = commands.find(({ name }) => name === pair);
    if (two !== undefined) return { command: two, at: [first.index, second.index] };
  }
  const one = commands.find(({ name }) => name === first.value);
  if (one !== undefined) return { command: one, at: [first.index] };
  throw noCommand(first.value, second?.value, commands);
}

function noCommand(
  first: string,
  second: string | undefined,
  commands: readonly Command[],
): UsageError {
  const inside = commands.filter(({ name }) => name.startsWith(`${first} `))
    .map(({ name }) => name.slice(first.length + 1));
  if (inside.length === 0) {
    const names = [...new Set(commands.map(({ name }) => name.replace(/ .*/, "")))];
    return new UsageError(unknownOption(first, names, "command").message);
  }
  return new UsageError(
    second === undefined
      ? `Cannot use ${first} alone: write ${first} ${inside.join(", or ")}`
      : unknownOption(second, inside, `command of ${first}`).message,
  );
}

function noOption(rawName: string, options: Options): UsageError {
  const name = rawName.replace(/^--?/, "");
  if (/^-\d|\s/.test(rawName)) {
    return new UsageError(
      `Cannot use ${
        harmless(rawName)
      } as it looks like an option: write -- in front of what begins with one`,
    );
  }
  return new UsageError(unknownOption(name, Object.keys(options)).message);
}

function checkCount({ name, operands, count: [least, most] }: Command, given: readonly string[]) {
  if (given.length >= least && given.length <= most) return;
  throw new UsageError(
    `Cannot use ${name} with ${given.length === 0 ? "nothing" : given.length} behind it: ` +
      `write ${name} ${operands}`.trimEnd(),
  );
}

/** One of several words. @throws {UsageError} If it is none. */
export function wordOf<T extends string>(option: string, value: string, words: readonly T[]): T {
  const word = words.find((one) => one === value);
  if (word !== undefined) return word;
  throw new UsageError(`Cannot use --${option} ${value}: it is one of ${words.join(", ")}`);
}

/** What a timer can wait, in seconds. */
const MOST = 2_147_483;

/** A number of seconds in milliseconds. @throws {UsageError} If it is none. */
export function milliseconds(option: string, value: string): number {
  const seconds = value.trim() === "" ? Number.NaN : Number(value);
  if (seconds > 0 && seconds <= MOST) return seconds * 1000;
  throw new UsageError(
    `Cannot use --${option} ${value} as it must be a number of seconds above 0, and at most ${MOST}`,
  );
}

/** A whole number from 0 on. @throws {UsageError} If it is none. */
export function wholeNumber(option: string, value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new UsageError(`Cannot use --${option} ${value} as it must be a whole number from 0 on`);
}
