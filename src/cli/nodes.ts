import type { Node } from "../wire/cluster.ts";
import { command } from "./command.ts";
import { formatRows } from "./format_rows.ts";

/** `nodes`: the members of the cluster. */
export const nodes = command({
  name: "nodes",
  summary: "lists the nodes of the cluster",
  operands: "",
  count: [0, 0],
  options: {},
  async run({ connect, embedded, place, output, progress, signal }) {
    const db = await connect();
    progress.tell("asking the nodes");
    const found = await db.nodes({ nonVoters: true, signal });
    // The engine of a file tells an address as servers do, where nobody is.
    const all = embedded
      ? found.map((node) => ({ ...node, apiUrl: place, raftAddress: "" }))
      : found;
    await progress.end();
    if (output.json) return await output.line(JSON.stringify(all, undefined, 2));
    const columns = ["id", "address", "raft", "role", "state", "version"];
    const rows = all.map((
      node,
    ) => [node.id, node.apiUrl, node.raftAddress, roleOf(node), stateOf(node), node.version ?? ""]);
    await output.write(formatRows({ columns, rows }, "table", output.paint));
  },
});

function roleOf({ leader, voter }: Node): string {
  if (leader) return "leader";
  return voter ? "follower" : "read replica";
}

function stateOf({ reachable, error }: Node): string {
  return reachable ? "reachable" : error ?? "not reachable";
}
