/**
 * Measures the client next to what else one would do, on Deno, Bun and Node, as ratios of rounds in which all take turns:
 *
 *     deno task bench                        everything, some minutes
 *     deno task bench -- reads decode        what is named
 *     deno task bench -- --quick             rough, less than a minute
 *     deno task bench -- --engines=deno,bun  not on all engines
 *     deno task bench -- --readme            puts the table and the chart into docs/performance.md, too
 *     deno task bench -- bulk --from=FILE    what is named, and the rest as an earlier run found it out
 *
 * It starts its own servers; RQLITED_BIN names another rqlited. The table is printed, and is in `out/bench.md` with all that
 * it was made of in `out/bench.json` and the chart in `out/bench.svg`.
 */

import { basename, dirname, join } from "node:path";
import { ENGINES, findEngine } from "../tests/runner/engines.ts";
import { linkWorkspace } from "../tests/runner/links.ts";
import { ROOT } from "../tests/runner/paths.ts";
import { installPython } from "../tests/runner/python.ts";
import { installServers } from "../tests/runner/servers.ts";
import { engineFolders, install } from "../tests/runner/set_up.ts";
import { rqlitedBinary } from "../tests/support/rqlited_binary.ts";
import { chart } from "./chart.ts";
import { fullReport, shortReport } from "./report.ts";
import type { Contest, EngineName, Figure, Results } from "./results.ts";
import { SCENARIOS } from "./scenario.ts";

const PAGE = "docs/performance.md";
const CHART = "docs/bench.svg";
const BEGIN = "<!-- Made by `deno task bench -- --readme`; what is changed here is lost. -->";
const END = "<!-- The end of what it made. -->";

/** How a file is run on an engine. */
interface Runner {
  readonly engine: EngineName;
  readonly version: string;
  readonly command: string;
  readonly args: readonly string[];
}

function log(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

function flag(name: string): string | undefined {
  const found = Deno.args.find((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  return found?.slice(name.length + 3);
}

/** Whether all of it is known, and not rough, so that others may read it. */
function isComplete({ conditions, contests }: Results): boolean {
  const isMeasured = (name: string) => contests.some(({ scenario }) => scenario === name);
  return !conditions.quick && Deno.exitCode === 0 && Object.keys(SCENARIOS).every(isMeasured);
}

/** Refuses what it does not know, as a typing error would be measured for minutes. */
function checkArguments(): void {
  const flags = ["--quick", "--readme", "--engines=", "--from="];
  for (const arg of Deno.args.filter((arg) => arg !== "--")) {
    const known = arg.startsWith("--")
      ? flags.some((one) => one.endsWith("=") ? arg.startsWith(one) : arg === one)
      : arg in SCENARIOS;
    if (known) continue;
    const names = Object.entries(SCENARIOS).map(([name, { about }]) => `  ${name}: ${about}`);
    const text = `There is no ${arg}. Flags: ${flags.join(" ")}\nScenarios:\n${names.join("\n")}\n`;
    log(text);
    Deno.exit(2);
  }
}

async function runners(wanted: readonly string[]): Promise<Runner[]> {
  const unknown = wanted.find((engine) => !["deno", "bun", "node"].includes(engine));
  if (unknown !== undefined) throw new Error(`There is no engine ${unknown}`);
  const found: Runner[] = [{
    engine: "deno",
    version: Deno.version.deno,
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check"],
  }];
  for (const [engine, name] of [["bun", "bun"], ["node", "node24"]] as const) {
    const at = await findEngine(ENGINES.find((one) => one.name === name)!);
    if (at === undefined) log(`${engine} is left out: it was not found\n`);
    else found.push({ engine, version: at.version.replace(/^v/, ""), command: at.path, args: [] });
  }
  return found.filter(({ engine }) => wanted.length === 0 || wanted.includes(engine));
}

async function setUp(scenarios: readonly string[]): Promise<void> {
  for (const folder of [".", ...engineFolders()]) {
    const problem = await install(folder);
    if (problem !== undefined) throw new Error(problem);
  }
  linkWorkspace();
  if (!scenarios.includes("locks")) return;
  const lacking = await Promise.all([installServers(), installPython()]);
  for (const reason of lacking) if (reason !== undefined) log(`Not set up: ${reason}\n`);
}

interface Found {
  readonly contests: Contest[];
  readonly figures: Figure[];
}

/** Runs a scenario in a process of its own, so that none finds what another has left in memory. One that fails is left out. */
async function perform(name: string, runner: Runner, quick: boolean, into: Found): Promise<void> {
  const start = performance.now();
  log(`${name} on ${runner.engine} … `);
  const file = `${ROOT}bench/run.ts`;
  const { success, stdout } = await new Deno.Command(runner.command, {
    args: [...runner.args, file, name, runner.engine, ...(quick ? ["quick"] : [])],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  if (!success) {
    log("failed\n");
    Deno.exitCode = 1;
    return;
  }
  const lines = new TextDecoder().decode(stdout).trim().split("\n").filter((line) => line !== "");
  for (const line of lines) {
    const { contest, figure } = JSON.parse(line) as { contest?: Contest; figure?: Figure };
    if (contest !== undefined) into.contests.push(contest);
    if (figure !== undefined) into.figures.push(figure);
  }
  log(`${((performance.now() - start) / 1000).toFixed(0)} s\n`);
}

/** As npm names it where it is from there, since that one says no more of itself than `8`. */
async function serverVersion(): Promise<string> {
  const { path, version } = rqlitedBinary();
  const manifest = join(dirname(path), "..", "package.json");
  const packaged = await Deno.readTextFile(manifest).catch(() => undefined);
  if (packaged !== undefined) {
    return (JSON.parse(packaged) as { version: string }).version.replace(/-\d+$/, "");
  }
  return /^rqlited v?(\S+)/.exec(version)?.[1] ?? version;
}

async function measureAll(scenarios: readonly string[]): Promise<Results> {
  const quick = flag("quick") !== undefined;
  const [load = 0] = Deno.loadavg();
  await setUp(scenarios);
  const engines = await runners(flag("engines")?.split(",") ?? []);
  const found: Found = { contests: [], figures: [] };
  for (const name of scenarios) {
    for (const runner of engines) {
      if (!SCENARIOS[name]!.engines.includes(runner.engine)) continue;
      await perform(name, runner, quick, found);
    }
  }
  return {
    conditions: {
      cores: navigator.hardwareConcurrency,
      load,
      system: `${Deno.build.os} ${Deno.build.arch}`,
      server: await serverVersion(),
      engines: Object.fromEntries(engines.map(({ engine, version }) => [engine, version])),
      quick,
    },
    ...found,
  };
}

async function writePage(results: Results, picture: string): Promise<void> {
  const text = await Deno.readTextFile(ROOT + PAGE);
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the table`);
  const section = `${BEGIN}\n\n${shortReport(results, basename(CHART))}\n`;
  await Deno.writeTextFile(ROOT + PAGE, text.slice(0, begin) + section + text.slice(end));
  await Deno.writeTextFile(ROOT + CHART, picture);
  await new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", PAGE, CHART],
    cwd: ROOT,
  })
    .output();
}

/** What was asked for, and of an earlier run what was not. */
async function find(): Promise<Results> {
  const from = flag("from");
  const named = Deno.args.filter((arg) => !arg.startsWith("--"));
  if (from === undefined) {
    return await measureAll(named.length > 0 ? named : Object.keys(SCENARIOS));
  }
  const earlier = JSON.parse(await Deno.readTextFile(from)) as Results;
  if (named.length === 0) return earlier;
  const { conditions, contests, figures } = await measureAll(named);
  const isKept = ({ scenario, engine }: Contest | Figure) =>
    !named.includes(scenario) || !(engine in conditions.engines);
  return {
    conditions: {
      ...conditions,
      quick: conditions.quick || earlier.conditions.quick,
      engines: { ...earlier.conditions.engines, ...conditions.engines },
    },
    contests: [...earlier.contests.filter(isKept), ...contests],
    figures: [...earlier.figures.filter(isKept), ...figures],
  };
}

checkArguments();
const results = await find();
const report = fullReport(results);
const picture = chart(results);
await Deno.mkdir(`${ROOT}out`, { recursive: true });
await Deno.writeTextFile(`${ROOT}out/bench.json`, `${JSON.stringify(results, undefined, 1)}\n`);
await Deno.writeTextFile(`${ROOT}out/bench.md`, report);
await Deno.writeTextFile(`${ROOT}out/bench.svg`, picture);
await new Response(report).body!.pipeTo(Deno.stdout.writable, { preventClose: true });
if (flag("readme") !== undefined) {
  if (isComplete(results)) await writePage(results, picture);
  else log(`${PAGE} is left as it is: this was quick, or not everything\n`);
}
