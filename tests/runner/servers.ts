import { ROOT } from "./paths.ts";
import { run } from "./run.ts";

/** The programs that the tests of locks start; Debian's packages have their names. */
const PROGRAMS = ["redis-server", "valkey-server"];

const FOLDER = "out/servers";
const LIMITS = { limit: 2 * 60_000, verbose: false };
const KEYRINGS = ["debian", "ubuntu"].map((name) =>
  `/usr/share/keyrings/${name}-archive-keyring.gpg`
);

/**
 * Unpacks the servers that are not there into `out/servers`, from wherever this machine's apt takes its packages: as
 * any user, and without a change to the system. Where it cannot, the tests that need them say so.
 *
 * @returns What was in the way, if anything was.
 */
export async function installServers(): Promise<string | undefined> {
  const missing = PROGRAMS.filter((program) => !isThere(program));
  if (missing.length === 0) return undefined;
  if (Deno.build.os !== "linux" || !isOnPath("apt-get")) return "there is no apt-get";
  try {
    await download(missing);
    return missing.every(isThere) ? undefined : `${missing.join(" or ")} is not in its package`;
  } catch (error) {
    return (error as Error).message;
  }
}

function isThere(program: string): boolean {
  return exists(`${ROOT}${FOLDER}/root/usr/bin/${program}`) || isOnPath(program);
}

function isOnPath(program: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => exists(`${folder}/${program}`));
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

async function download(packages: readonly string[]): Promise<void> {
  const apt = `${ROOT}${FOLDER}/apt`;
  await Deno.remove(apt, { recursive: true }).catch(() => {});
  for (const folder of ["sources", "lists/partial", "cache/archives/partial"]) {
    await Deno.mkdir(`${apt}/${folder}`, { recursive: true });
  }
  await Deno.writeTextFile(`${apt}/sources/servers.sources`, await sources());
  const options = [
    ...["Dir::Etc::sourcelist=/dev/null", `Dir::Etc::sourceparts=${apt}/sources`],
    ...[`Dir::State::lists=${apt}/lists`, `Dir::Cache=${apt}/cache`, "Debug::NoLocking=1"],
    ...["APT::Sandbox::User=", "Acquire::Languages=none", "Acquire::Retries=3"],
  ].flatMap((option) => ["-o", option]);
  await command("apt-get", ...options, "update");
  const flags = ["--yes", "--no-install-recommends", "--download-only"];
  await command("apt-get", ...options, "install", ...flags, ...packages);
  for (const { name } of Deno.readDirSync(`${apt}/cache/archives`)) {
    if (!name.endsWith(".deb")) continue;
    await command("dpkg", "-x", `${apt}/cache/archives/${name}`, `${ROOT}${FOLDER}/root`);
  }
  await Deno.remove(apt, { recursive: true });
}

/** The archive that the machine is set up for, with its backports: Valkey is younger than Debian 12. */
async function sources(): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release");
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const args = ["indextargets", "--no-release-info", "--format", format, "Created-By: Packages"];
  const lines = (await command("apt-get", ...args)).split("\n").map((line) => line.split(" "));
  const uri = lines.find(([, suite, component]) => suite === codename && component === "main")?.[0];
  if (uri === undefined) throw new Error("apt names no archive of this release");
  const components = lines.filter((line) => line[0] === uri && line[1] === codename);
  const keyring = KEYRINGS.find(exists);
  return [
    "Types: deb",
    `URIs: ${uri}`,
    `Suites: ${codename} ${codename}-backports`,
    `Components: ${[...new Set(components.map(([, , component]) => component))].join(" ")}`,
    ...(keyring === undefined ? [] : [`Signed-By: ${keyring}`]),
    "",
  ].join("\n");
}

async function command(program: string, ...args: readonly string[]): Promise<string> {
  const { code, output } = await run(program, args, LIMITS);
  if (code === 0) return output;
  throw new Error(`${program} ${args.at(-1)} failed: ${output.trim().split("\n").at(-1)}`);
}
