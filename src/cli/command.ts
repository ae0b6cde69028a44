import type { Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect_options.ts";
import type { Input } from "./input.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";

/** An option, as `parseArgs` of `node:util` takes it, and what the help says of it. */
export interface Option {
  /** Whether it has a value. */
  readonly type: "string" | "boolean";
  /** May be given several times. */
  readonly multiple?: true;
  /** Its letter. */
  readonly short?: string;
  /** What its value is called in the help. */
  readonly value?: string;
  /** What it does, for the help. */
  readonly help: string;
}

/** Options by their names. */
export type Options = Readonly<Record<string, Option>>;

/** What options are given. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]?:
    | (O[Name] extends { readonly type: "boolean" } ? boolean
      : O[Name] extends { readonly multiple: true } ? readonly string[]
      : string)
    | undefined;
};

/** The options that every command takes. */
export const SHARED = {
  url: {
    type: "string",
    short: "u",
    multiple: true,
    value: "URL",
    help: "a node, or a database file; may be given several times for one cluster",
  },
  user: { type: "string", value: "NAME", help: "the user; the password is asked for" },
  create: { type: "boolean", help: "makes the database file where there is none" },
  ca: { type: "string", value: "FILE", help: "certificates of authorities to trust, PEM" },
  cert: { type: "string", value: "FILE", help: "the client's certificate, PEM" },
  key: { type: "string", value: "FILE", help: "its key, PEM" },
  insecure: { type: "boolean", help: "accepts any certificate of the server" },
  timeout: { type: "string", value: "SECONDS", help: "of each call; 30 if it is not given" },
  json: { type: "boolean", help: "results and errors as JSON" },
  help: { type: "boolean", short: "h", help: "shows this" },
} as const satisfies Options;

/** The option of commands that are about all tables or some. */
export const TABLES = {
  table: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "this table only; may be given several times",
  },
} as const satisfies Options;

/** What a command has at hand. */
export interface Session<O extends Options> {
  /** What the options of the command, and those that all have, were given. */
  readonly values: Values<O & typeof SHARED>;
  /** What stands behind the name of the command, without the options. */
  readonly operands: readonly string[];
  /** The client; the first call makes it, and asks for the password. It is closed behind the command. */
  connect(options?: Pick<ConnectOptions, "mapNode">): Promise<Client>;
  /** What is meant by --url, for a person: without credentials. */
  readonly place: string;
  /** Whether that is a file. */
  readonly embedded: boolean;
  /** Milliseconds for each call, which the client has; for what has another limit of its own. */
  readonly timeout: number | undefined;
  /** Standard input, and the person in front of it. */
  readonly input: Input;
  /** Standard output and standard error. */
  readonly output: Output;
  /** Shown where it takes long, and somebody looks. */
  readonly progress: Progress;
  /** Ends the command: what is under way is settled first. */
  readonly signal: AbortSignal;
}

/** A command. */
export interface Command<O extends Options = Options> {
  /** One word, or two such as `migrate up`. */
  readonly name: string;
  /** Its line in the list of commands. */
  readonly summary: string;
  /** What stands behind its name, such as `SQL [VALUE]…`. */
  readonly operands: string;
  /** The least and the most that may stand there. */
  readonly count: readonly [number, number];
  /** Its own options. */
  readonly options: O;
  /** More for its help. */
  readonly details?: string;
  /** Does it; answers the exit code where that is not 0. */
  run(session: Session<O>): Promise<number | void>;
}

/** Makes a command; the types of its values are those of its options. */
export function command<const O extends Options>(one: Command<O>): Command {
  // Of a session each command reads what its own options say, which the parser has checked.
  return one as unknown as Command;
}
