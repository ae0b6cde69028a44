import type { TokenView } from "./token_view.ts";

/** Tokens of a view, by index: from one up to and without another. */
export type Range = readonly [from: number, to: number];

/** The ranges between the commas of the group at `open`. */
export function itemsOf(view: TokenView, open: number): Range[] {
  const close = view.groupEnd(open) - 1;
  const items: Range[] = [];
  let from = open + 1;
  for (let i = from; i <= close; i = i === close ? i + 1 : view.behind(i)) {
    if (i < close && !view.is(i, ",")) continue;
    items.push([from, i]);
    from = i + 1;
  }
  return items;
}
