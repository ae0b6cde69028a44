import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Who a certificate is for: a server of 127.0.0.1, one of another host, one that is over, and a client. */
export type Holder = "server" | "stranger" | "expired" | "client";

/** A private authority and what it has issued, as files and as text in PEM. */
export interface Certificates {
  readonly path: (name: "ca.pem" | "server.pem" | "server-key.pem") => string;
  readonly ca: string;
  /** The client's. */
  readonly cert: string;
  readonly key: string;
  /** A certificate and its key. */
  readonly of: (holder: Holder) => { readonly cert: string; readonly key: string };
  /** Removes the files. */
  remove(): void;
}

/** Whether certificates can be made here. */
export function skipWithoutOpenssl(): string | false {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return false;
  } catch {
    return "openssl is not installed";
  }
}

/** Makes them anew, valid for a day but for the one that is over. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "rqlite-tls-"));
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=CA");
  const issue = (
    name: Holder,
    { usage = "serverAuth", host = "IP:127.0.0.1", days = 1 } = {},
  ): void => {
    writeFileSync(
      join(folder, `${name}.ext`),
      `subjectAltName=${host}\nextendedKeyUsage=${usage}\n`,
    );
    openssl(
      "req",
      ...key,
      "-keyout",
      `${name}-key.pem`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    const authority = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial"];
    const request = ["-req", "-in", `${name}.csr`, "-extfile", `${name}.ext`, "-days", `${days}`];
    openssl("x509", ...request, ...authority, "-out", `${name}.pem`);
  };
  issue("server");
  issue("stranger", { host: "DNS:other.example" });
  issue("expired", { days: -1 });
  issue("client", { usage: "clientAuth" });
  const path = (name: string): string => join(folder, name);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  const of = (name: Holder) => ({ cert: read(`${name}.pem`), key: read(`${name}-key.pem`) });
  return {
    path,
    ca: read("ca.pem"),
    ...of("client"),
    of,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
