/** How the examples print: headings, ✓ lines and tables; in colour where someone is looking. */

import process from "node:process";
import { padded, painter, wantsColours, width } from "../src/cli/terminal.ts";

const colours = wantsColours(process.env);
const { bold, dim, green } = painter(process.stdout, colours);
const { red } = painter(process.stderr, colours);

/** Begins a part. */
export function heading(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** Something was done. */
export function done(text: string): void {
  console.log(`  ${green("✓")} ${text}`);
}

/** More about the line before. */
export function detail(text: string): void {
  console.log(`    ${dim(text)}`);
}

/** Something went wrong; goes to stderr. */
export function failed(text: string): void {
  console.error(`${red("✗")} ${text}`);
}

/** Writes the last line anew where someone is looking; without a text it is gone. Goes to stderr. */
export function status(text?: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${text === undefined ? "" : `  ${text}`}`);
  }
}

/** Rows under their column names; numbers stand to the right. */
export function table(rows: readonly Readonly<Record<string, unknown>>[]): void {
  const names = Object.keys(rows[0] ?? {});
  const columns = names.map((name) => {
    const most = Math.max(...[name, ...rows.map((row) => String(row[name]))].map(width));
    const right = rows.every((row) => /^\$?[\d.]+$/.test(String(row[name])));
    return { name, pad: (text: string) => padded(text, most, right) };
  });
  const line = (cell: (name: string) => unknown): string =>
    columns.map(({ name, pad }) => pad(String(cell(name)))).join("   ").trimEnd();
  detail(line((name) => name));
  for (const row of rows) console.log(`    ${line((name) => row[name])}`);
}
