/** Counts what goes over the wire, whoever sends it. */

import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Rqlited } from "../tests/support/rqlited.ts";
import type { Counts } from "./results.ts";

const REQUESTS = ["executions", "queries", "requests"];
const STATEMENTS = ["execute_stmts_rx", "query_stmts_rx", "request_stmts_rx"];

/** What the server itself has counted since its start. */
export async function serverCounts(server: Rqlited): Promise<Omit<Counts, "bytes">> {
  const { http } = await read<{ http: Record<string, number> }>(server, "/debug/vars");
  const status = await read<{ store: { raft: { applied_index: number | string } } }>(
    server,
    "/status",
  );
  const sum = (names: readonly string[]) => names.reduce((sum, name) => sum + http[name]!, 0);
  return {
    requests: sum(REQUESTS),
    statements: sum(STATEMENTS),
    entries: Number(status.store.raft.applied_index),
  };
}

async function read<T>(server: Rqlited, path: string): Promise<T> {
  return JSON.parse((await server.ask(path)).text) as T;
}

/** What stands in front of a server and counts bytes. */
export interface CountingPipe {
  readonly url: string;
  /** Bytes that clients have sent so far. */
  sent(): number;
  close(): void;
}

/** Hands on every byte as it comes, so that clients behave as without it. */
export async function countingPipe(target: string): Promise<CountingPipe> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let sent = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [socket, other] of [[client, upstream], [upstream, client]] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on("error", () => other.destroy());
      socket.on("data", (bytes) => {
        if (socket === client) sent += bytes.length;
        other.write(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
