import type { VolatileSite } from "./site.ts";
import type { TokenView } from "./token_view.ts";

/** A call of `random` or `randomblob`, and the index of its last token. */
export interface RandomCall {
  /** What it is replaced as. */
  readonly site: VolatileSite;
  /** The index of its `)`. */
  readonly last: number;
}

/**
 * Reads the call whose `(` is at `open`, if it is one that SQLite would accept.
 *
 * @param name The function's name in lower case.
 * @param indexOf The number of the placeholder at an offset.
 */
export function randomCall(
  view: TokenView,
  open: number,
  name: string,
  indexOf: (start: number) => number,
): RandomCall | undefined {
  if (name !== "random" && name !== "randomblob") return undefined;
  const last = view.groupEnd(open) - 1;
  const size = name === "random"
    ? noArgument(view, open, last)
    : blobSize(view, open, last, indexOf);
  if (size === undefined) return undefined;
  const site = { ...size, start: view.tokens[open - 1]!.start, end: view.tokens[last]!.end };
  return { site, last };
}

type Size = Pick<VolatileSite, "kind" | "size" | "index">;

/** `random()`, and `random(*)`, which is the same. */
function noArgument(view: TokenView, open: number, last: number): Size | undefined {
  return last === open + (view.is(open + 1, "*") ? 2 : 1) ? { kind: "random" } : undefined;
}

function blobSize(
  view: TokenView,
  open: number,
  last: number,
  indexOf: (start: number) => number,
): Size | undefined {
  if (last <= open + 1) return undefined;
  const negative = view.is(open + 1, "-");
  const at = negative || view.is(open + 1, "+") ? open + 2 : open + 1;
  if (last !== at + 1) return { kind: "unclear" };
  const { kind, start } = view.tokens[at]!;
  if (kind === "placeholder" && !negative) return { kind: "randomblob", index: indexOf(start) };
  if (view.isWord(at, "NULL")) return { kind: "randomblob", size: 1 };
  if (kind !== "number") return { kind: "unclear" };
  const size = Number(view.text(at).replaceAll("_", ""));
  return { kind: "randomblob", size: negative ? 1 : Math.max(1, Math.trunc(size)) };
}
