import { type Check, type Checks, isBoolean, numeric, readOptions, refused } from "../options.ts";

/** How {@linkcode nodeFetch} connects. */
export interface NodeFetchOptions {
  /** Certificates of the authorities to trust, in PEM, in place of the system's. */
  readonly ca?: string | undefined;
  /** The client's certificate in PEM, with those of its issuers behind it; it needs `key`. */
  readonly cert?: string | undefined;
  /** The private key of `cert` in PEM, not encrypted. */
  readonly key?: string | undefined;
  /** Whether a server whose certificate cannot be verified is refused. @default {true} */
  readonly rejectUnauthorized?: boolean | undefined;
  /** Connections to one host at the same time; further requests wait. @default {Infinity} */
  readonly maxSockets?: number | undefined;
}

const OPTIONS: Checks<NodeFetchOptions> = {
  ca: pem("CERTIFICATE"),
  cert: pem("CERTIFICATE"),
  key: pem("PRIVATE KEY"),
  rejectUnauthorized: isBoolean,
  maxSockets: numeric(
    "an integer from 1 on, or Infinity",
    (n) => n === Infinity || (Number.isInteger(n) && n > 0),
  ),
};

/**
 * Refuses what could not work, before any request is made.
 *
 * @throws {TypeError} If an option is unknown or has the wrong form; no message shows a key.
 * @throws {RangeError} If `maxSockets` is out of range.
 */
export function readNodeOptions(options: NodeFetchOptions | undefined): NodeFetchOptions {
  const read = readOptions(options, OPTIONS);
  if ((read.cert === undefined) !== (read.key === undefined)) {
    const [given, missing] = read.cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new TypeError(`Cannot use \`${given}\` without \`${missing}\``);
  }
  return read;
}

/** Text in PEM with a block of that label. */
function pem(label: string): Check {
  const block = new RegExp(`-----BEGIN [A-Z ]*${label}-----[^-]+-----END [A-Z ]*${label}-----`);
  return (value, name) => {
    // The value may be the key itself, or the path of one: it is not for a log.
    if (typeof value !== "string") {
      throw refused(name, "a text in PEM", value);
    }
    if (block.test(value)) return;
    throw new TypeError(
      `Cannot use \`${name}\` as it must be the text of a PEM file, with a ${label} block`,
    );
  };
}
