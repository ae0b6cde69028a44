import { type Command, type Options, SHARED } from "./command.ts";
import { padded, type Paint, width } from "./terminal.ts";

/** The program, as its help calls it. */
export const PROGRAM = "rqlite-cli";

/** The help of all commands. */
export function helpOfAll(commands: readonly Command[], paint: Paint): string {
  const lines = commands.map(({ name, operands, summary }) =>
    [`${name} ${operands}`.trimEnd(), summary] as const
  );
  return [
    `Usage: ${PROGRAM} COMMAND [OPTION]…`,
    "",
    paint.bold("Commands"),
    ...inColumns(lines),
    "",
    paint.bold("Options of every command"),
    ...inColumns(linesOf(SHARED)),
    "",
    "Where there is no --url, RQLITE_URL says it, and else it is http://localhost:4001. A password is in the URL,",
    "in RQLITE_PASSWORD, or asked for. The exit code is 0 where it was done, 1 where it failed, 2 where the command",
    "line is wrong, 3 where doctor finds a difference, 4 where it cannot be told whether a write was applied.",
    "",
    `${PROGRAM} help COMMAND tells more.`,
    "",
  ].join("\n");
}

/** The help of one command. */
export function helpOf(
  { name, operands, summary, options, details }: Command,
  paint: Paint,
): string {
  const own = linesOf(options);
  return [
    `Usage: ${PROGRAM} ${name} ${operands}`.trimEnd() + " [OPTION]…",
    "",
    summary,
    ...(details === undefined ? [] : ["", details]),
    "",
    ...(own.length === 0 ? [] : [paint.bold("Options"), ...inColumns(own), ""]),
    paint.bold("Options of every command"),
    ...inColumns(linesOf(SHARED)),
    "",
  ].join("\n");
}

function linesOf(options: Options): (readonly [string, string])[] {
  return Object.entries(options).map(([name, { short, value, help }]) => {
    const letter = short === undefined ? "" : `-${short}, `;
    return [`${letter}--${name}${value === undefined ? "" : ` ${value}`}`, help];
  });
}

function inColumns(lines: readonly (readonly [string, string])[]): string[] {
  const most = Math.max(...lines.map(([left]) => width(left)));
  return lines.map(([left, right]) => `  ${padded(left, most)}  ${right}`);
}
