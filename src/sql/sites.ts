import type { Analysis } from "./analyse.ts";
import { statementRanges } from "./boundaries.ts";
import { TextCache } from "./cache.ts";
import { classify } from "./classify.ts";
import { rowsServed } from "./rows_served.ts";
import type { VolatileSite } from "./site.ts";
import { significantTokens, type Token } from "./tokenize.ts";
import { TokenView } from "./view.ts";
import { volatileSites } from "./volatile.ts";

const cache: TextCache<readonly VolatileSite[]> = new TextCache(1000, 1_000_000);

/** What every node would evaluate for itself; never inside the stored text of DDL. Answers are cached by text. */
export function sitesOf(analysis: Analysis): readonly VolatileSite[] {
  const { stores, kind, text } = analysis;
  if (!stores && kind !== "read" && kind !== "explain") return [];
  const known = cache.get(text);
  if (known !== undefined) return known;
  const sites = findSites(analysis);
  cache.set(text, sites);
  return sites;
}

function findSites({ stores, text, placeholders }: Analysis): readonly VolatileSite[] {
  const { tokens: all } = significantTokens(text);
  const [from, to] = statementRanges(text, all)[0] ?? [0, 0];
  const tokens = all.slice(from, to);
  let next = 0;
  const sites = volatileSites(text, tokens, (start) => {
    while (next < placeholders.length && placeholders[next]!.start < start) next++;
    return placeholders[next]?.index ?? 0;
  });
  return stores ? sites.map((site) => withRows(site, text, tokens)) : sites;
}

function withRows(site: VolatileSite, text: string, tokens: readonly Token[]): VolatileSite {
  if (site.kind !== "random" && site.kind !== "randomblob") return site;
  const place = tokens.findIndex(({ start }) => start === site.start);
  const rows = rowsServed(new TokenView(text, tokens), place, classify(text, tokens).at);
  return rows === "one" ? site : { ...site, rows };
}
