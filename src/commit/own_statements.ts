import { prepare, type Prepared } from "../sql/prepare.ts";
import type { Param } from "../sql/value.ts";
import type { Settings } from "../calls/settings.ts";

/** A statement of our own. */
export function own(sql: string, ...params: Param[]): Prepared {
  // Nothing in our own statements is volatile, so the time does not matter.
  return prepare([sql, ...params], { now: new Date(0) });
}

/** Settings under which the answers to our own statements are read. */
export function ownSettings(settings: Settings): Settings {
  return {
    ...settings,
    rows: "array",
    integers: "number",
    level: "weak",
    freshness: undefined,
    freshnessStrict: false,
    session: undefined,
  };
}
