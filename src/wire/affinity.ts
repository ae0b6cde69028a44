/** SQLite's five ways to prefer a storage class. */
export type Affinity = "integer" | "text" | "blob" | "real" | "numeric";

/** In SQLite's order: the first that a declared type contains decides. */
const RULES: readonly (readonly [RegExp, Affinity])[] = [
  [/int/, "integer"],
  [/char|clob|text/, "text"],
  [/blob/, "blob"],
  [/real|floa|doub/, "real"],
];

/** The affinity of a column by its declared type, which the server sends in lower case. */
export function affinity(declared: string): Affinity {
  if (declared === "") return "blob";
  return RULES.find(([pattern]) => pattern.test(declared))?.[1] ?? "numeric";
}

/** Whether the server sends a BLOB in a column of that type as text, by its own list. */
export function isTextual(declared: string): boolean {
  return /^(?:$|text$|json$|varchar|varying character|nchar|native character|nvarchar|clob)/.test(
    declared,
  );
}

/** Whether the server makes RFC 3339 text of the values of a column of that type. */
export function isDate(declared: string): boolean {
  return /^(?:date|datetime|timestamp)$/.test(declared);
}
