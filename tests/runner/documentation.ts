/** What `deno doc --lint` says about this package's own names. */

const REFERENCE = /references private type '(\w+)'/;

/**
 * The findings, without those about types of packages: a driver extends them, and they are documented where they are from.
 *
 * @param output What `deno doc --lint` wrote.
 * @param sources The package's modules.
 */
export function ownFindings(output: string, sources: readonly string[]): string[] {
  const findings = output.split("\n").filter((line) => line.startsWith("error["));
  return findings.filter((finding) => {
    const name = REFERENCE.exec(finding)?.[1];
    if (name === undefined) return true;
    const declaration = new RegExp(
      `\\b(?:class|interface|type|function|const) ${name}\\b *[<{=(:e]`,
    );
    return sources.some((source) => declaration.test(source));
  });
}
