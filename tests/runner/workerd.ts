import { fromFileUrl } from "./paths.ts";

const INSTALLED = fromFileUrl(
  "../runtimes/node_modules/@cloudflare/workerd-linux-64/bin/workerd",
);

/** Finds workerd: in `WORKERD_BIN`, then among what npm installed. */
export async function findWorkerd(): Promise<string | undefined> {
  const path = Deno.env.get("WORKERD_BIN") ?? INSTALLED;
  return await Deno.stat(path).then(() => path, () => undefined);
}

/**
 * Writes the configuration of a worker beside its module; it may reach servers on this
 * machine, and gets TEST_ENVIRONMENT of the process as a binding.
 */
export async function workerdConfig(
  folder: string,
  module: string,
  socket?: string,
): Promise<void> {
  const sockets = socket === undefined
    ? ""
    : `sockets = [(name = "http", address = "${socket}", http = (), service = "main")],`;
  // Without Node's compatibility, which later dates turn on by themselves.
  await Deno.writeTextFile(
    folder + module.replace(/\.mjs$/, ".capnp"),
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
  bindings = [(name = "TEST_ENVIRONMENT", fromEnvironment = "TEST_ENVIRONMENT")],
  compatibilityDate = "2026-04-01",
);
`,
  );
}
