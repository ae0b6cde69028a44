import type { RequestOptions } from "node:http";
import { urlToHttpOptions } from "node:url";
import { isRecord } from "../options.ts";

/** Where a request goes. */
export interface Target {
  /** Over TLS. */
  readonly secure: boolean;
  /** The same, as `node:http` takes it. */
  readonly options: RequestOptions;
}

/** A request as it will be sent. */
export interface Outgoing {
  /** Where it goes. */
  readonly target: Target;
  /** Its method in capitals. */
  readonly method: string;
  /** Its headers by their names in lower case. */
  readonly headers: Record<string, string>;
  /** What is known as a whole, or a stream of bytes. */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | undefined;
  /** Ends it, at any time. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads the arguments of `fetch`.
 *
 * @throws {TypeError} What `fetch` itself would refuse.
 */
export function outgoingOf(input: string | URL | Request, init: RequestInit = {}): Outgoing {
  if (input instanceof Request) {
    const { url, method, headers, body, signal } = new Request(input, init);
    return outgoingOf(url, { method, headers, body, signal });
  }
  const target = targetOf(String(input));
  const method = (init.method ?? "GET").toUpperCase();
  const headers = headersOf(init.headers);
  const body = bodyOf(init.body, headers);
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`Cannot send a body with ${method}`);
  }
  return {
    target,
    method,
    headers,
    body,
    signal: init.signal ?? undefined,
  };
}

/** The fields of a request by their names in lower case. */
type Fields = Record<string, string>;

/** What a name and a value are made of that need nothing done to them; anything else `Headers` checks and cleans. */
const PLAIN_NAME = /^[a-z\d-]+$/;
const PLAIN_VALUE = /^[!-~](?:[ -~]*[!-~])?$/;

function headersOf(given: HeadersInit | undefined): Fields {
  const fields: Fields = {};
  if (!isRecord(given)) return Object.fromEntries(new Headers(given));
  for (const [name, value] of Object.entries(given)) {
    const plain = typeof value === "string" && PLAIN_NAME.test(name) && PLAIN_VALUE.test(value);
    if (!plain) return Object.fromEntries(new Headers(given));
    fields[name] = value;
  }
  return fields;
}

/** The body, and in `headers` its type and its length where they are known. */
function bodyOf(body: BodyInit | null | undefined, headers: Fields): Outgoing["body"] {
  if (body === null || body === undefined) return undefined;
  if (typeof body === "string") {
    label(headers, "text/plain;charset=UTF-8");
    return body;
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof ReadableStream) return body;
  if (body instanceof Blob) {
    label(headers, body.type);
    headers["content-length"] = String(body.size);
    return body.stream();
  }
  const encoded = new Response(body);
  label(headers, encoded.headers.get("content-type") ?? "");
  return encoded.body ?? undefined;
}

function label(headers: Fields, type: string): void {
  if (type !== "") headers["content-type"] ??= type;
}

/** How many addresses are kept in the form that they are needed in: that takes as long as much of the exchange. */
const MOST_KEPT = 100;

const kept = new Map<string, Target>();

/**
 * Reads an address.
 *
 * @throws {TypeError} What `fetch` itself would refuse.
 */
function targetOf(address: string): Target {
  const known = kept.get(address);
  if (known !== undefined) return known;
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol)) {
    throw new TypeError(`Cannot fetch ${url.protocol} as only http: and https: are served`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot fetch a URL with a user name or a password: send a header instead");
  }
  const { protocol, hostname, port, path } = urlToHttpOptions(url);
  const options = { protocol, hostname, port, path };
  const target = { secure: protocol === "https:", options };
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(address, target);
  return target;
}
