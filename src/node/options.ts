/** How {@linkcode nodeFetch} connects. */
export interface NodeFetchOptions {
  /** Certificates of the authorities to trust, in PEM, in place of the system's. */
  readonly ca?: string;
  /** The client's certificate in PEM, with those of its issuers behind it; it needs `key`. */
  readonly cert?: string;
  /** The private key of `cert` in PEM, not encrypted. */
  readonly key?: string;
  /** Whether a server whose certificate cannot be verified is refused. @default {true} */
  readonly rejectUnauthorized?: boolean;
  /** Connections to one host at the same time; further requests wait. @default {Infinity} */
  readonly maxSockets?: number;
}

/** The options in PEM, and the label that such a text has. */
const PEM = { ca: "CERTIFICATE", cert: "CERTIFICATE", key: "PRIVATE KEY" } as const;

const NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(PEM),
  "rejectUnauthorized",
  "maxSockets",
]);

/**
 * Refuses what could not work, before any request is made.
 *
 * @throws {TypeError} If an option is unknown or has the wrong form; no message shows a key.
 * @throws {RangeError} If `maxSockets` is out of range.
 */
export function checkOptions(options: NodeFetchOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot use the options as they must be an object: current value is ${String(options)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (NAMES.has(name)) continue;
    throw new TypeError(
      `Cannot use \`${name}\` as there is no such option: it may be one of ${
        [...NAMES].join(", ")
      }`,
    );
  }
  for (const [name, label] of Object.entries(PEM)) checkPem(name, label, options);
  if ((options.cert === undefined) !== (options.key === undefined)) {
    const [given, missing] = options.cert === undefined ? ["key", "cert"] : ["cert", "key"];
    throw new TypeError(`Cannot use \`${given}\` without \`${missing}\``);
  }
  const { rejectUnauthorized, maxSockets } = options;
  if (rejectUnauthorized !== undefined && typeof rejectUnauthorized !== "boolean") {
    throw new TypeError(
      `Cannot use \`rejectUnauthorized\` as it must be a boolean: current value is ${
        String(rejectUnauthorized)
      }`,
    );
  }
  if (maxSockets !== undefined && !isCount(maxSockets)) {
    throw new RangeError(
      `Cannot use \`maxSockets\` as it must be an integer from 1 on, or Infinity: current value is ${
        String(maxSockets)
      }`,
    );
  }
}

function isCount(value: unknown): boolean {
  return value === Infinity || (Number.isInteger(value) && value as number > 0);
}

function checkPem(name: string, label: string, options: NodeFetchOptions): void {
  const value: unknown = options[name as keyof NodeFetchOptions];
  if (value === undefined) return;
  // The value may be the key itself, or the path of one: it is not for a log.
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot use \`${name}\` as it must be a text in PEM: it is a ${typeof value}`,
    );
  }
  if (
    !new RegExp(`-----BEGIN [A-Z ]*${label}-----[^-]+-----END [A-Z ]*${label}-----`).test(value)
  ) {
    throw new TypeError(
      `Cannot use \`${name}\` as it must be the text of a PEM file, with a ${label} block`,
    );
  }
}
