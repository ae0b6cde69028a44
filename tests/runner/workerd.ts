import { fromFileUrl } from "./paths.ts";

/** A workerd that Workers are tested in. */
export interface Workerd {
  readonly name: string;
  /** Names the binary instead of the one from npm. */
  readonly variable: string;
  /** Where npm's package puts it, under tests/runtimes/node_modules. */
  readonly installed: string;
  /** The compatibility date of what runs there; without Node's compatibility, which later dates turn on by themselves. */
  readonly date: string;
}

const BINARY = "@cloudflare/workerd-linux-64/bin/workerd";

/** What Cloudflare runs. */
export const NEWEST: Workerd = {
  name: "workerd",
  variable: "WORKERD_BIN",
  installed: BINARY,
  date: "2026-04-01",
};

/** That of wrangler 4.0 and the oldest compatibility date, both as docs/runtimes.md promises them. */
export const OLDEST: Workerd = {
  name: "workerd 2025-03-10",
  variable: "WORKERD_OLDEST_BIN",
  // Deno links only one version of a package at the top level.
  installed: `.deno/@cloudflare+workerd-linux-64@1.20250310.0/node_modules/${BINARY}`,
  date: "2024-10-14",
};

const RUNTIMES = fromFileUrl("../runtimes/node_modules/");

/** Finds a workerd: in its variable, then among what npm installed. */
export async function findWorkerd({ variable, installed }: Workerd): Promise<string | undefined> {
  const path = Deno.env.get(variable) ?? RUNTIMES + installed;
  return await Deno.stat(path).then(() => path, () => undefined);
}

/** How a worker is made. */
export interface WorkerOptions {
  /** The compatibility date. */
  readonly date: string;
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
  { date, binding, address }: WorkerOptions,
): Promise<string> {
  const path = folder + module.replace(/\.mjs$/, `.${date}.capnp`);
  const sockets = address === undefined
    ? ""
    : `sockets = [(name = "http", address = "${address}", http = (), service = "main")],`;
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
  compatibilityDate = "${date}",
);
`,
  );
  return path;
}
