import { existsSync, readFileSync } from "node:fs";
import { connect } from "../client/connect.ts";
import type { Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect_options.ts";
import { readLocation } from "../embedded/location.ts";
import { parseHttp, shownUrl } from "../transport/address.ts";
import type { SHARED, Values } from "./command.ts";
import { misused, UsageError } from "./exit.ts";
import type { Input } from "./input.ts";

/** Where a client connects by default. */
const DEFAULT_URL = "http://localhost:4001";

/** What was meant for a server: `localhost:4001`, `10.0.0.1`. */
const HOST = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:]+\]):\d+\/?$/i;

/** What is neither a URL of ours nor a file: another scheme, or a password without any. */
const FOREIGN = /^(?!file:|[./]|[a-z]:[\\/])(?:[a-z][\w+.-]+:\/\/|.+:.+@)/i;

type Given = Values<typeof SHARED>;

/** A server or a file, and how to connect to it. */
export interface Target {
  /** URLs of nodes, or one path. */
  readonly urls: readonly string[];
  /** Whether it is a file. */
  readonly embedded: boolean;
  /** What it is called in messages: without credentials. */
  readonly place: string;
  /** Whether nobody named it. */
  readonly assumed: boolean;
}

/**
 * Finds out what is meant.
 *
 * @throws {UsageError} If it is neither a URL nor a file.
 */
export function readTarget(
  { url = [], create }: Given,
  env: Readonly<Record<string, string | undefined>>,
): Target {
  const named = url.length > 0 ? url : split(env["RQLITE_URL"] ?? "");
  const urls = named.length > 0 ? named : [DEFAULT_URL];
  const [first = ""] = urls;
  const assumed = named.length === 0;
  if (urls.every((one) => /^https?:\/\//i.test(one))) {
    if (create) throw new UsageError("Cannot use --create as a server makes its own files");
    const place = urls.map(placeOf).join(", ");
    return { urls, embedded: false, place, assumed };
  }
  const wrong = urls.find((one) => HOST.test(one));
  if (wrong !== undefined) {
    throw new UsageError(`Cannot connect to ${wrong}: write http://${wrong}`);
  }
  if (urls.length > 1) {
    throw new UsageError("Cannot use a file beside another --url: one command has one database");
  }
  if (FOREIGN.test(first)) {
    throw new UsageError(
      `Cannot connect to ${shownUrl(first)}: write http:// or https://, or a file`,
    );
  }
  return { urls, embedded: true, place: first, assumed };
}

/** Several URLs have commas between them. */
function split(text: string): string[] {
  return text.split(/,\s*(?=https?:\/\/)/i).map((one) => one.trim()).filter((one) => one !== "");
}

function placeOf(url: string): string {
  return parseHttp(url)?.origin ?? JSON.parse(shownUrl(url));
}

/** What a client is made with, besides what the command line says of the place. */
export interface Opening extends Pick<ConnectOptions, "mapNode" | "timeout"> {
  /** The environment, which may have the password. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the password is asked for. */
  readonly input: Input;
}

/**
 * Makes the client; asks for the password where there is a user without one.
 *
 * @throws {UsageError} If that cannot be done with what was given.
 */
export async function open(
  target: Target,
  given: Given,
  { env, input, ...options }: Opening,
): Promise<Client> {
  const tls = await tlsOf(given);
  if (target.embedded) {
    const [path = ""] = target.urls;
    const wrong = given.user !== undefined ? "--user" : tls === undefined ? undefined : "TLS";
    if (wrong !== undefined) throw new UsageError(`Cannot use ${wrong} with a database file`);
    return await openFile(path, given.create ?? false, options);
  }
  const credentials = await credentialsOf(target, given, env, input);
  try {
    return connect({ ...options, url: target.urls, ...credentials, ...tls });
  } catch (error) {
    throw misused(error);
  }
}

async function openFile(
  path: string,
  create: boolean,
  options: ConnectOptions,
): Promise<Client> {
  let file: string | undefined;
  try {
    file = readLocation(path);
  } catch (error) {
    throw misused(error);
  }
  if (!create && file !== undefined && !existsSync(file)) {
    throw new UsageError(
      `Cannot open ${path} as there is no such file: --create makes it, and a server's URL begins with http://`,
    );
  }
  // Node warns of SQLite as soon as it is loaded.
  const { embedded } = await import("../embedded/mod.ts");
  return connect({ ...options, ...embedded(path) });
}

async function credentialsOf(
  { urls, place }: Target,
  { user }: Given,
  env: Readonly<Record<string, string | undefined>>,
  input: Input,
): Promise<{ username?: string; password?: string }> {
  const url = parseHttp(urls[0]);
  const username = user ?? (url?.username || undefined);
  const named = user === undefined ? {} : { username: user };
  const known = env["RQLITE_PASSWORD"];
  if (username === undefined || url?.password) return named;
  if (known !== undefined) return { ...named, password: known };
  if (!input.isTerminal) {
    throw new UsageError(
      "Cannot ask for the password as standard input is no terminal: set RQLITE_PASSWORD",
    );
  }
  const name = user ?? decodeURIComponent(username);
  const password = await input.askSecretly(`Password of ${name} at ${place}: `);
  return { ...named, password };
}

async function tlsOf({ ca, cert, key, insecure }: Given): Promise<ConnectOptions | undefined> {
  if (ca === undefined && cert === undefined && key === undefined && !insecure) return undefined;
  const { nodeFetch } = await import("../node/mod.ts");
  try {
    const read = (path: string | undefined) => path && readFileSync(path, "utf8");
    const files = { ca: read(ca), cert: read(cert), key: read(key) };
    const fetch = nodeFetch({ ...files, ...(insecure && { rejectUnauthorized: false }) });
    return { fetch, close: fetch.close };
  } catch (error) {
    throw misused(error);
  }
}
