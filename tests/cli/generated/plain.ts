// Made of the schema of a database by @tangled/rqlite/cli; what is changed here is lost. To make it again:
//   types --for plain --out <this file>
// deno-fmt-ignore-file
// deno-lint-ignore-file

export interface Db {
  id: number;
}

export interface DbInsert {
  id?: number;
}

export interface OrderItems {
  "a \"quoted\" name": string | null;
  "`${x}\\": string | null;
}

export interface OrderItemsInsert {
  "a \"quoted\" name"?: string | null;
  "`${x}\\"?: string | null;
}

export interface Class {
  text: string | null;
  table: string | null;
  "größe": number | null;
  "2fa": number | null;
  "!": number | null;
  "line\nbreak": string | null;
}

export interface ClassInsert {
  text?: string | null;
  table?: string | null;
  "größe"?: number | null;
  "2fa"?: number | null;
  "!"?: number | null;
  "line\nbreak"?: string | null;
}

export interface Constructor {
  constructor: string | null;
  __proto__: string;
  prototype: string | null;
  getSQL: string | null;
  _: string | null;
}

export interface ConstructorInsert {
  constructor?: string | null;
  __proto__: string;
  prototype?: string | null;
  getSQL?: string | null;
  _?: string | null;
}

export interface DateRow {
  date: string | null;
}

export interface DateInsert {
  date?: string | Date | null;
}

export interface Events {
  id: string;
  at: number;
  payload: Uint8Array;
  count: number;
  extra: number | string | Uint8Array | null;
}

export interface EventsInsert {
  id: string;
  at: number;
  payload?: Uint8Array;
  count?: number;
  extra?: number | string | Uint8Array | null;
}

export interface IntKey {
  id: number;
  at: string;
}

export interface IntKeyInsert {
  id: number;
  at?: string | Date;
}

export interface OrderItems2 {
  order: number;
  "unit price": number;
  unitPrice: number | null;
}

export interface OrderItemsInsert2 {
  order?: number;
  "unit price": number;
  unitPrice?: number | null;
}

export interface ProductTags {
  product_id: number;
  tag: string;
  added: number | null;
}

export interface ProductTagsInsert {
  product_id: number;
  tag: string;
  added?: number | null;
}

export interface Products {
  id: number;
  sku: string;
  owner: number;
  price: number;
  tax: -1 | 0 | 19;
  gross: number;
  state: string | null;
}

export interface ProductsInsert {
  id?: number;
  sku: string;
  owner: number;
  price: number;
  tax?: -1 | 0 | 19;
  state?: string | null;
}

export interface Search {
  title: string | null;
  body: string | null;
  product_id: number | string | Uint8Array | null;
}

export interface SearchInsert {
  title?: string | null;
  body?: string | null;
  product_id?: number | string | Uint8Array | null;
}

export interface Table {
  table: string;
}

export interface TableInsert {
  table: string;
}

export interface TagNotes {
  product_id: number;
  tag: string;
  note: string;
}

export interface TagNotesInsert {
  product_id: number;
  tag: string;
  note: string;
}

export interface Tags {
  name: string;
  color: string | null;
}

export interface TagsInsert {
  name: string;
  color?: string | null;
}

export interface Text {
  t: number | null;
  table: string | null;
}

export interface TextInsert {
  t?: number | null;
  table?: string | null;
}

export interface Umlauts {
  "Ä": string;
  "ä": string | null;
}

export interface UmlautsInsert {
  "Ä": string;
  "ä"?: string | null;
}

export interface Untyped {
  a: number | string | Uint8Array | null;
  b: number | string | Uint8Array | null;
  c: number | string | null;
  d: number | string | Uint8Array | null;
}

export interface UntypedInsert {
  a?: number | string | Uint8Array | null;
  b?: number | string | Uint8Array | null;
  c?: number | string | null;
  d?: number | string | Uint8Array | null;
}

export interface Users {
  id: number;
  email: string;
  first_name: string;
  last_name: string | null;
  full_name: string | null;
  role: "customer" | "staff" | "it's me";
  active: boolean;
  balance: number;
  rating: number | null;
  photo: Uint8Array | null;
  settings: number | string;
  born: string | null;
  referred_by: number | null;
  favourite: number | null;
  created_at: string;
  seen_at: string;
}

export interface UsersInsert {
  id?: number;
  email: string;
  first_name: string;
  last_name?: string | null;
  role?: "customer" | "staff" | "it's me";
  active?: boolean;
  balance?: number;
  rating?: number | null;
  photo?: Uint8Array | null;
  settings?: number | string;
  born?: string | Date | null;
  referred_by?: number | null;
  favourite?: number | null;
  created_at?: string | Date;
  seen_at?: string;
}

export interface Bare {
  a: number | string | Uint8Array | null;
}

export interface Both {
  active: number | string | Uint8Array | null;
  born: number | string | Uint8Array | null;
  last_name: string | null;
}

export interface Staff {
  id: number | null;
  email: string | null;
  active: boolean | null;
  created_at: string | null;
  photo: Uint8Array | null;
}

export interface Sums {
  role: string | null;
  n: number | string | Uint8Array | null;
  total: number | null;
  photo: number | string | Uint8Array | null;
}

// The view "broken" is left out, as it reads what is not there any more.
