import * as names from "drizzle-orm/casing";
import { Column } from "drizzle-orm/column";
import * as core from "drizzle-orm/sqlite-core";
import type { Casing } from "drizzle-orm/utils";
import { setCasing } from "./internals.ts";
import { exactly, type Field } from "./numbers.ts";
import { otherVersion } from "./version.ts";

/**
 * What makes SQL of queries.
 *
 * @param casing How columns without a name of their own are written.
 */
export function dialectOf(casing?: Casing): core.SQLiteAsyncDialect {
  const dialect = new Dialect();
  setCasing(dialect, new Names(casing));
  return dialect;
}

class Dialect extends core.SQLiteAsyncDialect {
  override buildRelationalQuery(options: RelationalQuery): ReturnType<Builder> {
    const rounded = options.nestedQueryRelation !== undefined;
    const query = super.buildRelationalQuery(options);
    const selection = query.selection.map((one) => ({
      ...one,
      field: exactly(one.field as Field, one.tsKey, rounded) as typeof one.field,
    }));
    return { ...query, selection };
  }
}

type Builder = core.SQLiteAsyncDialect["buildRelationalQuery"];
type RelationalQuery = Parameters<Builder>[0];

/** Asked for the name of each column that a query reads or writes, whatever kind of query it is. */
class Names extends names.CasingCache {
  override getColumnCasing(column: Column): string {
    if (isOfV1(column)) throw otherVersion(`${shown(column)}, a column that drizzle-orm 1.0 made`);
    return super.getColumnCasing(column);
  }
}

/**
 * Whether a column comes from another copy of drizzle-orm whose columns leave values as they are: those of 1.0, where
 * the driver is what reads and writes them.
 */
function isOfV1(column: Column): boolean {
  return !(column instanceof Column) && Object.hasOwn(column, "mapFromDriverValue");
}

function shown({ name }: Column): string {
  return JSON.stringify(name);
}
