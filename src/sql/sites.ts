import { type Analysis, tokensOf } from "./analyse.ts";
import { statementRanges } from "./boundaries.ts";
import { TextCache } from "./cache.ts";
import { classify } from "./classify.ts";
import { rowsServed } from "./rows_served.ts";
import type { VolatileSite } from "./site.ts";
import type { TokenView } from "./token_view.ts";
import { mayBeVolatile, volatileSites } from "./volatile.ts";

const cache: TextCache<readonly VolatileSite[]> = new TextCache(1000, 1_000_000);

/** What every node would evaluate for itself; never inside the stored text of DDL. Answers are cached by text. */
export function sitesOf(analysis: Analysis): readonly VolatileSite[] {
  const { stores, kind, text } = analysis;
  if (!stores && kind !== "read" && kind !== "explain") return [];
  if (!mayBeVolatile(text)) return [];
  const known = cache.get(text);
  if (known !== undefined) return known;
  const sites = findSites(analysis);
  cache.set(text, sites);
  return sites;
}

function findSites(analysis: Analysis): readonly VolatileSite[] {
  const { stores, placeholders } = analysis;
  const whole = tokensOf(analysis);
  const [from, to] = statementRanges(whole)[0] ?? [0, 0];
  const view = whole.slice(from, to);
  let next = 0;
  const sites = volatileSites(view, (start) => {
    while (next < placeholders.length && placeholders[next]!.start < start) next++;
    return placeholders[next]?.index ?? 0;
  });
  return stores ? sites.map((site) => withRows(site, view)) : sites;
}

function withRows(site: VolatileSite, view: TokenView): VolatileSite {
  if (site.kind !== "random" && site.kind !== "randomblob") return site;
  const place = view.tokens.findIndex(({ start }) => start === site.start);
  const rows = rowsServed(view, place, classify(view).at);
  return rows === "one" ? site : { ...site, rows };
}
