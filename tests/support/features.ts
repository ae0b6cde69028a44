import { ask } from "./http.ts";

/** What differs between servers, told by what they do and not by their version. */
export interface Features {
  /** `level=linearizable` is more than weak (8.32.2). */
  readonly linearizable: boolean;
  /** Parameters can be BLOBs: arrays of bytes, and texts such as `x'41'` (8.31.0). */
  readonly blobParameters: boolean;
  /** `raft_index` is answered (8.38.0). */
  readonly raftIndex: boolean;
  /** `GET /leader` (8.40.0). */
  readonly leader: boolean;
  /** `/db/sql` (9.4.0); such servers also survive statements of nothing but a comment (9.3.13). */
  readonly explain: boolean;
}

/** Probes a ready server; `headers` where it wants authorization. */
export async function features(
  url: string,
  headers: Record<string, string> = {},
): Promise<Features> {
  const get = (path: string) => ask(url + path, { headers });
  const query = "/db/query?q=SELECT%201";
  const body = JSON.stringify([["SELECT typeof(?)", [1]]]);
  const json = { "content-type": "application/json", ...headers };
  const [linearizable, blob, index, leader, explain] = await Promise.all([
    get(`${query}&level=linearizable&linearizable_timeout=bad`),
    ask(`${url}/db/query`, { method: "POST", headers: json, body }),
    ask(`${url}/db/execute?raft_index`, {
      method: "POST",
      headers: json,
      body: JSON.stringify(["DROP TABLE IF EXISTS no_such_table"]),
    }),
    get("/leader"),
    get("/db/sql?q=SELECT%201"),
  ]);
  return {
    linearizable: linearizable.status === 400,
    blobParameters: blob.text.includes('"blob"'),
    raftIndex: index.text.includes('"raft_index"'),
    leader: leader.status !== 404,
    explain: explain.status === 200,
  };
}
