import type { SoakReport } from "./soak.ts";

const COLUMNS = [
  ...["property", "workload", "operations", "done", "not done", "unknown", "faults"],
  "violations",
];

/** A table in Markdown: property, workload, operations, faults and the violations of each kind of client. */
export function tableOf(reports: readonly SoakReport[]): string {
  const rows = reports.flatMap(({ kind, faults, findings }) => {
    const count = Object.values(faults).reduce((a, b) => a + b, 0);
    return findings.map((
      { property, workload, operations, done, notDone, unknown, violations },
    ) => [
      ...[property, workload, operations, done, notDone, unknown, count],
      `${violations.length} (${kind})`,
    ]);
  });
  const told = reports.map(({ kind, seed, servers, seconds, faults }) =>
    `${kind}: seed ${seed}, ${seconds} s, ${servers.join(" then ")}; ${
      Object.entries(faults).map(([name, times]) => `${name} ${times}`).join(", ")
    }`
  );
  const lines = [COLUMNS, COLUMNS.map(() => "---"), ...rows];
  return [...told, "", ...lines.map((cells) => `| ${cells.join(" | ")} |`)].join("\n");
}
