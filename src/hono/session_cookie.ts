import type { Client, Session } from "../client/client.ts";
import {
  type Check,
  type Checks,
  isBoolean,
  isRecord,
  oneOf,
  readOptions,
  refused,
} from "../options.ts";
import type { HonoContext } from "./context.ts";

/** How the cookie of a session is made. It holds a bookmark, see `Session`, and is kept from scripts: `HttpOnly`. */
export interface SessionCookieOptions {
  /** Its name. @default {"rqlite_session"} */
  cookie?: string | undefined;
  /** Below which path it is sent. @default {"/"} */
  path?: string | undefined;
  /** To which domain, and those below it. @default the host that answers, alone */
  domain?: string | undefined;
  /** Seconds for which it is kept; without it until the browser ends. */
  maxAge?: number | undefined;
  /** Whether pages of other sites send it. @default {"Lax"} */
  sameSite?: "Strict" | "Lax" | "None" | undefined;
  /** Whether it is sent over HTTPS alone: say so behind what ends TLS. @default whether the request's URL is https */
  secure?: boolean | undefined;
}

/** The session of one request. */
export interface RequestSession {
  /** What makes its calls. */
  readonly session: Session;
  /** Puts what it has seen into the answer. */
  keep(): void;
}

const isToken: Check = (value, name) => {
  if (typeof value === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(value)) return;
  throw refused(name, "the name of a cookie: letters, digits and -", value);
};

const isPart: Check = (value, name) => {
  if (typeof value === "string" && /^[!-:<-~]+$/.test(value)) return;
  throw refused(name, "text without blanks and semicolons", value);
};

const isPath: Check = (value, name) => {
  isPart(value, name);
  if (!(value as string).startsWith("/")) throw refused(name, "a path that begins with /", value);
};

const isSeconds: Check = (value, name) => {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw refused(name, "a number of seconds from 0 on", value, true);
};

const COOKIE: Checks<SessionCookieOptions> = {
  cookie: isToken,
  path: isPath,
  domain: isPart,
  maxAge: isSeconds,
  sameSite: oneOf("Strict", "Lax", "None"),
  secure: isBoolean,
};

/**
 * Reads the option, and returns what makes the session of a request; `undefined` where it is off.
 *
 * @throws {TypeError} If it has the wrong form.
 */
export function sessionsOf(
  given: unknown,
): ((c: HonoContext, client: Client) => RequestSession) | undefined {
  if (given === undefined || given === false) return undefined;
  if (given !== true && !isRecord(given)) throw refused("session", "a boolean or an object", given);
  const options = readOptions<SessionCookieOptions>(given === true ? {} : given, COOKIE);
  const { cookie = "rqlite_session", path = "/", domain, maxAge, sameSite = "Lax", secure } =
    options;
  const isHost = /^__Host-/i.test(cookie);
  const needsHttps = isHost || /^__Secure-/i.test(cookie) || sameSite === "None";
  if (needsHttps && secure === false) {
    const what = sameSite === "None" ? 'sameSite: "None"' : `cookie: "${cookie}"`;
    throw new TypeError(`Cannot use \`${what}\` with \`secure: false\` as no browser takes it`);
  }
  if (isHost && (path !== "/" || domain !== undefined)) {
    throw new TypeError(
      `Cannot use \`cookie: "${cookie}"\` with \`path\` or \`domain\` as no browser takes it: leave them out`,
    );
  }
  const fixed = [
    `Path=${path}`,
    ...domain === undefined ? [] : [`Domain=${domain}`],
    ...maxAge === undefined ? [] : [`Max-Age=${maxAge}`],
    "HttpOnly",
    `SameSite=${sameSite}`,
  ].join("; ");
  return (c, client) => {
    const sent = valueOf(c.req.raw.headers.get("cookie") ?? "", cookie);
    // What somebody made up, or another database gave, is no reason to answer with an error.
    const session = client.session(sent, { strict: false });
    return {
      session,
      keep() {
        const { bookmark } = session;
        // An answer that changes the protocol has no copy with other headers.
        if (bookmark === "" || bookmark === sent || (c.finalized && c.res.status === 101)) return;
        const https = secure ?? (needsHttps || c.req.raw.url.startsWith("https:"));
        append(c, `${cookie}=${bookmark}; ${fixed}${https ? "; Secure" : ""}`);
      },
    };
  };
}

/** The value of a cookie; "" if it was not sent. */
function valueOf(header: string, name: string): string {
  const sent = header.split(/;\s*/).find((pair) => pair.startsWith(`${name}=`)) ?? "";
  return sent.slice(name.length + 1).trim();
}

/** Adds a cookie to the answer; one that is there is asked itself, as `c.header` would add it twice with old copies of Hono. */
function append(c: HonoContext, cookie: string): void {
  if (!c.finalized) return c.header("Set-Cookie", cookie, { append: true });
  try {
    c.res.headers.append("Set-Cookie", cookie);
  } catch {
    // The headers of an answer that came from elsewhere are fixed, and old copies of Hono write into them.
    const answer = new Response(c.res.body, c.res);
    answer.headers.append("Set-Cookie", cookie);
    const context = c as { res: Response | undefined };
    // They would write into those of the answer that is replaced, too.
    context.res = undefined;
    context.res = answer;
  }
}
