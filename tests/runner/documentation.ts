/** What `deno doc --lint` says about this package's own names, and where links of texts lead. */

import { posix } from "node:path";

const REFERENCE = /references private type '(\w+)'/;
/** The line that declares the type. */
const DECLARED = /\| (.+)\n *\| *-+ this is the referenced type/;

/**
 * The findings, without those about types of packages: a driver extends them, and they are documented where they are from.
 *
 * @param output What `deno doc --lint` wrote.
 * @param sources The package's modules.
 */
export function ownFindings(output: string, sources: readonly string[]): string[] {
  const blocks = output.split(/\n(?=error)/).filter((block) => block.startsWith("error["));
  return blocks.filter((block) => {
    const [finding] = block.split("\n");
    const name = REFERENCE.exec(finding!)?.[1];
    if (name === undefined) return true;
    // Where the line is shown, it tells two types of one name apart.
    const line = DECLARED.exec(block)?.[1];
    if (line !== undefined) return sources.some((source) => source.includes(line));
    const declaration = new RegExp(
      `\\b(?:class|interface|type|function|const) ${name}\\b *[<{=(:e]`,
    );
    return sources.some((source) => declaration.test(source));
  }).map((block) => block.split("\n")[0]!);
}

/** The lines of a text in Markdown without those of its code blocks, nor what is between backticks. */
function prose(text: string): string {
  return text.replace(/^( *)(`{3,}).*\n[^]*?\n\1\2$/gm, "").replace(/`[^`\n]+`/g, "`");
}

/** What a link may name behind `#`: the headings as GitHub makes anchors of them, and `<a name>`. */
function anchors(text: string): Set<string> {
  const found = new Set<string>();
  const shown = text.replace(/^( *)(`{3,}).*\n[^]*?\n\1\2$/gm, "");
  for (const [, heading = ""] of shown.matchAll(/^#+ (.*)$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    let name = slug;
    for (let n = 1; found.has(name); n++) name = `${slug}-${n}`;
    found.add(name);
  }
  for (const [, name = ""] of shown.matchAll(/<a name="([^"]+)">/g)) found.add(name);
  return found;
}

/**
 * The links to files of the repository that lead nowhere, as `file: target`.
 *
 * @param texts Texts in Markdown by their paths from the root on.
 * @param exists Whether there is a file or folder of that path, for what is none of the texts.
 */
export function brokenLinks(
  texts: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): string[] {
  const broken: string[] = [];
  for (const [file, text] of texts) {
    for (const [, target = ""] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const place = path === "" ? file : posix.join(posix.dirname(file), path);
      const there = texts.get(place);
      const found = there === undefined
        ? exists(place) && anchor === undefined
        : anchor === undefined || anchors(there).has(anchor);
      if (!found) broken.push(`${file}: ${target}`);
    }
  }
  return broken;
}
