/** Words after which a `/` starts a regular expression. */
const BEFORE_REGEXP =
  /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|await))$/;

/** One import or re-export. */
export interface Import {
  readonly specifier: string;
  /** `import type`: it is gone at run time. */
  readonly typeOnly: boolean;
}

/**
 * The source with comments blank, and the insides of strings, templates and regular expressions
 * replaced by `_`, so that what is left are names and marks. Every offset stays what it was.
 */
export function codeOnly(source: string): string {
  let code = "";
  const braces: number[] = []; // open braces inside each `${` that is open
  const take = (length: number, fill = "") => {
    const text = source.slice(code.length, code.length + length);
    code += fill === "" ? text : text.replaceAll(/[^\n]/g, fill);
  };
  const takeTemplate = () => {
    const part = /^[^`\\$]*(?:\\[\s\S][^`\\$]*|\$(?!\{)[^`\\$]*)*/.exec(source.slice(code.length));
    take(part?.[0].length ?? 0, "_");
    if (source[code.length] === "`") return take(1);
    take(2); // the `${`
    braces.push(0);
  };
  while (code.length < source.length) {
    const rest = source.slice(code.length);
    const mark = rest[0] ?? "";
    const comment = /^(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(rest);
    const text = /^(["'])((?:\\[\s\S]|(?!\1)[^\\\n])*)\1/.exec(rest);
    const regexp = mark === "/" && BEFORE_REGEXP.test(code.trimEnd())
      ? /^\/((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+)\//.exec(rest)
      : null;
    const word = /^[\w$]+/.exec(rest);
    if (comment) take(comment[0].length, " ");
    else if (text ?? regexp) {
      take(1);
      take((text ? text[2] : regexp?.[1])?.length ?? 0, "_");
      take(1);
    } else if (mark === "`") {
      take(1);
      takeTemplate();
    } else if (mark === "}" && braces.at(-1) === 0) {
      braces.pop();
      take(1);
      takeTemplate();
    } else {
      const depth = braces.length - 1;
      if (depth >= 0 && mark === "{") braces[depth] = (braces[depth] ?? 0) + 1;
      if (depth >= 0 && mark === "}") braces[depth] = (braces[depth] ?? 0) - 1;
      take(word?.[0].length ?? 1);
    }
  }
  return code;
}

const SPECIFIER = /\b(?:from\s*|import\s*\(?\s*)(["'])(_*)\1/g;

/** Everything a module names as another module, `import()` and `import("…")` types included. */
export function importsOf(source: string): Import[] {
  const code = codeOnly(source);
  return [...code.matchAll(SPECIFIER)].map((match) => {
    const end = match.index + match[0].length - 1;
    const statement = code.slice(code.lastIndexOf(";", match.index) + 1, match.index);
    return {
      specifier: source.slice(end - (match[2]?.length ?? 0), end),
      typeOnly: /\b(?:import|export)\s+type\b[^;]*$/.test(statement),
    };
  });
}

const RUNTIME_NAME =
  /(?<![\w$#.])(?:(?:Deno|Bun|process)\s*(?:\.|\?\.|\[)|Buffer\b|require\s*\()|\bglobalThis\s*(?:\?\.|\.)\s*(?:Deno|Bun|process|Buffer)\b/g;

/** The names of one runtime that the source uses, as it spells them. */
export function runtimeNames(source: string): string[] {
  return [...codeOnly(source).matchAll(RUNTIME_NAME)].map(([name]) => name);
}
