import { fromFileUrl } from "./paths.ts";

const INSTALLED = fromFileUrl(
  "../runtimes/node_modules/@cloudflare/workerd-linux-64/bin/workerd",
);

/** Finds workerd: in `WORKERD_BIN`, then among what npm installed. */
export async function findWorkerd(): Promise<string | undefined> {
  const path = Deno.env.get("WORKERD_BIN") ?? INSTALLED;
  return await Deno.stat(path).then(() => path, () => undefined);
}

/** How a worker is made. */
export interface WorkerOptions {
  /** A variable of the process that it gets as a binding. */
  readonly binding: string;
  /** Where it serves, as host and port; without it there are only its tests. */
  readonly address?: string;
}

/**
 * Writes the configuration of a worker beside its module; it may reach servers on this machine.
 *
 * @returns The path of the configuration.
 */
export async function workerdConfig(
  folder: string,
  module: string,
  { binding, address }: WorkerOptions,
): Promise<string> {
  const path = folder + module.replace(/\.mjs$/, ".capnp");
  const sockets = address === undefined
    ? ""
    : `sockets = [(name = "http", address = "${address}", http = (), service = "main")],`;
  // Without Node's compatibility, which later dates turn on by themselves.
  await Deno.writeTextFile(
    path,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["local"])),
  ],
  ${sockets}
);
const worker :Workerd.Worker = (
  modules = [(name = "${module}", esModule = embed "${module}")],
  bindings = [(name = "${binding}", fromEnvironment = "${binding}")],
  compatibilityDate = "2026-04-01",
);
`,
  );
  return path;
}
