// Made of the schema of a database by @tangled/rqlite/cli; what is changed here is lost. To make it again:
//   types --for kysely --out <this file>
// deno-fmt-ignore-file
// deno-lint-ignore-file

import type { ColumnType, Generated } from "kysely";

export interface DB {
  DB: DbTable;
  "Order-Items": OrderItemsTable;
  class: ClassTable;
  constructor: ConstructorTable;
  date: DateTable;
  events: EventsTable;
  int_key: IntKeyTable;
  "order items": OrderItemsTable2;
  product_tags: ProductTagsTable;
  products: ProductsTable;
  search: SearchTable;
  table: TableTable;
  tag_notes: TagNotesTable;
  tags: TagsTable;
  text: TextTable;
  umlauts: UmlautsTable;
  untyped: UntypedTable;
  users: UsersTable;
  bare: BareTable;
  both: BothTable;
  staff: StaffTable;
  sums: SumsTable;
}

export interface DbTable {
  id: Generated<number>;
}

export interface OrderItemsTable {
  "a \"quoted\" name": string | null;
  "`${x}\\": string | null;
}

export interface ClassTable {
  text: string | null;
  table: string | null;
  "größe": number | null;
  "2fa": number | null;
  "!": number | null;
  "line\nbreak": string | null;
}

export interface ConstructorTable {
  constructor: string | null;
  __proto__: string;
  prototype: string | null;
  getSQL: string | null;
  _: string | null;
}

export interface DateTable {
  date: ColumnType<string | null, string | Date | null, string | Date | null>;
}

export interface EventsTable {
  id: string;
  at: number;
  payload: Generated<Uint8Array>;
  count: Generated<number>;
  extra: number | string | Uint8Array | null;
}

export interface IntKeyTable {
  id: number;
  at: ColumnType<string, string | Date | undefined, string | Date>;
}

export interface OrderItemsTable2 {
  order: Generated<number>;
  "unit price": number;
  unitPrice: number | null;
}

export interface ProductTagsTable {
  product_id: number;
  tag: string;
  added: number | null;
}

export interface ProductsTable {
  id: Generated<number>;
  sku: string;
  owner: number;
  price: number;
  tax: Generated<-1 | 0 | 19>;
  gross: ColumnType<number, never, never>;
  state: string | null;
}

export interface SearchTable {
  title: string | null;
  body: string | null;
  product_id: number | string | Uint8Array | null;
}

export interface TableTable {
  table: string;
}

export interface TagNotesTable {
  product_id: number;
  tag: string;
  note: string;
}

export interface TagsTable {
  name: string;
  color: string | null;
}

export interface TextTable {
  t: number | null;
  table: string | null;
}

export interface UmlautsTable {
  "Ä": string;
  "ä": string | null;
}

export interface UntypedTable {
  a: number | string | Uint8Array | null;
  b: number | string | Uint8Array | null;
  c: number | string | null;
  d: number | string | Uint8Array | null;
}

export interface UsersTable {
  id: Generated<number>;
  email: string;
  first_name: string;
  last_name: string | null;
  full_name: ColumnType<string | null, never, never>;
  role: Generated<"customer" | "staff" | "it's me">;
  active: ColumnType<number, boolean | number | undefined, boolean | number>;
  balance: Generated<number>;
  rating: number | null;
  photo: Uint8Array | null;
  settings: Generated<number | string>;
  born: ColumnType<string | null, string | Date | null, string | Date | null>;
  referred_by: number | null;
  favourite: number | null;
  created_at: ColumnType<string, string | Date | undefined, string | Date>;
  seen_at: Generated<string>;
}

export interface BareTable {
  a: ColumnType<number | string | Uint8Array | null, never, never>;
}

export interface BothTable {
  active: ColumnType<number | string | Uint8Array | null, never, never>;
  born: ColumnType<number | string | Uint8Array | null, never, never>;
  last_name: ColumnType<string | null, never, never>;
}

export interface StaffTable {
  id: ColumnType<number | null, never, never>;
  email: ColumnType<string | null, never, never>;
  active: ColumnType<number | null, never, never>;
  created_at: ColumnType<string | null, never, never>;
  photo: ColumnType<Uint8Array | null, never, never>;
}

export interface SumsTable {
  role: ColumnType<string | null, never, never>;
  n: ColumnType<number | string | Uint8Array | null, never, never>;
  total: ColumnType<number | null, never, never>;
  photo: ColumnType<number | string | Uint8Array | null, never, never>;
}

// The view "broken" is left out, as it reads what is not there any more.
