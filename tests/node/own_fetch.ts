import process from "node:process";

/** What a `fetch` trusts, and who it is. */
export interface Identity {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** `fetch` of Deno and Bun with an authority and a client's certificate, as docs/runtimes.md shows it; Node has none. */
export function ownFetch(
  { ca, cert, key }: Identity,
): typeof fetch & { close?(): void } | undefined {
  const pair = cert === undefined || key === undefined ? {} : { cert, key };
  if (typeof Deno !== "undefined") {
    const client = Deno.createHttpClient({ caCerts: [ca], ...pair });
    return Object.assign(
      (input: string | URL | Request, init?: RequestInit) =>
        fetch(input, { ...init, client } as RequestInit),
      { close: () => client.close() },
    );
  }
  if (process.versions["bun"] === undefined) return undefined;
  const tls = { ca, ...pair };
  return ((input, init) => fetch(input, { ...init, tls } as RequestInit)) as typeof fetch;
}
