import { isIdentifier } from "./characters.ts";
import { Numbering, type Placeholder } from "./placeholders.ts";

/** One piece of a text and what comes in its place. */
export interface Edit {
  /** Offset of the piece. */
  readonly start: number;
  /** Offset behind it; equal to `start` for an insertion. */
  readonly end: number;
  /** The new text. */
  readonly text: string;
}

/**
 * Applies edits. Placeholders that remain keep their numbers: one that would be counted differently
 * now is written as `?` and its number.
 *
 * @param edits In any order, not overlapping.
 * @param placeholders All placeholders of the text.
 */
export function applyEdits(
  text: string,
  edits: readonly Edit[],
  placeholders: readonly Placeholder[],
): string {
  const sorted = [...edits].sort(byPlace);
  const all = [...sorted, ...renumbered(text, sorted, placeholders)].sort(byPlace);
  const pieces: string[] = [];
  let from = 0;
  for (const edit of all) {
    if (edit.start > from) pieces.push(text.slice(from, edit.start));
    if (merge(pieces.at(-1) ?? "", edit.text)) pieces.push(" ");
    pieces.push(edit.text);
    from = edit.end;
    if (merge(edit.text, text.slice(from, from + 1))) pieces.push(" ");
  }
  pieces.push(text.slice(from));
  return pieces.join("");
}

function byPlace(a: Edit, b: Edit): number {
  return a.start - b.start || a.end - b.end;
}

/**
 * The placeholders that are part of no edit.
 *
 * @param placeholders In the order of the text.
 * @param edits In the order of the text.
 */
export function untouched(
  placeholders: readonly Placeholder[],
  edits: readonly Edit[],
): Placeholder[] {
  const found: Placeholder[] = [];
  let next = 0;
  let edit = edits[next];
  for (const placeholder of placeholders) {
    while (edit !== undefined && edit.end <= placeholder.start) edit = edits[++next];
    if (edit === undefined || edit.start > placeholder.start) found.push(placeholder);
  }
  return found;
}

function renumbered(
  text: string,
  sorted: readonly Edit[],
  placeholders: readonly Placeholder[],
): Edit[] {
  const edits: Edit[] = [];
  const numbering = new Numbering();
  for (const { start, end, index } of untouched(placeholders, sorted)) {
    const written = text.slice(start, end);
    if (numbering.peek(written) === index) numbering.next(written);
    else {
      edits.push({ start, end, text: `?${index}` });
      numbering.next(`?${index}`);
    }
  }
  return edits;
}

/** Whether the two would become one token: `AND` and `x'00'`, `'a'` and `'b'`, `-` and `-1`. */
function merge(before: string, after: string): boolean {
  const last = before.charCodeAt(before.length - 1);
  const first = after.charCodeAt(0);
  if (isIdentifier(last)) return isIdentifier(first) || first === 39 || first === 46;
  return (last === 39 && first === 39) || (last === 45 && first === 45);
}
