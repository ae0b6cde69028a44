/** What `deno doc --lint` says about this package's own names. */

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
