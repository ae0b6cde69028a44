/**
 * Makes the queries of a batch of Drizzle ready, in a way that its types leave out.
 *
 * @throws {TypeError} If one of them is no query.
 */
export function prepareItems<Q>(items: readonly unknown[]): Q[] {
  if (!Array.isArray(items)) {
    throw new TypeError("Cannot run the batch as it must be an array of queries");
  }
  return items.map((item, position) => {
    const { _prepare } = Object(item) as { _prepare?: () => Q };
    if (typeof _prepare === "function") return _prepare.call(item);
    throw new TypeError(
      `Cannot run query ${position} of the batch as it is no query of Drizzle: give db.select(), db.run(sql) or the like, ` +
        "without await",
    );
  });
}
