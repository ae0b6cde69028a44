/** Whether a request enters or fences an id of a commit; the one that makes the table does not. */
export function holdsId(body: string): boolean {
  return /INSERT INTO _rqlite_commit\(n, id, [a-z, ]+\) (VALUES \(|SELECT )max\(/.test(body);
}
