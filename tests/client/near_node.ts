/** A `fetch` to which one node is nearer than all others: it answers every read that any node may answer. */
export function nearNode(url: string): typeof fetch {
  return (input, init) => {
    const asked = new URL(String(input));
    const free = asked.searchParams.get("level") === "none";
    return fetch(free ? new URL(asked.pathname + asked.search, url) : asked, init);
  };
}
