import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A private authority, a server of 127.0.0.1 and a client, as files and as text in PEM. */
export interface Certificates {
  readonly path: (name: "ca.pem" | "server.pem" | "server-key.pem") => string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
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

/** Makes them anew, valid for a day. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "rqlite-tls-"));
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca-key.pem", "-out", "ca.pem", "-subj", "/CN=CA");
  const issue = (name: string, usage: string): void => {
    writeFileSync(
      join(folder, `${name}.ext`),
      `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`,
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
    const request = ["-req", "-in", `${name}.csr`, "-extfile", `${name}.ext`, "-days", "1"];
    openssl("x509", ...request, ...authority, "-out", `${name}.pem`);
  };
  issue("server", "serverAuth");
  issue("client", "clientAuth");
  const path = (name: string): string => join(folder, name);
  const read = (name: string): string => readFileSync(path(name), "utf8");
  return {
    path,
    ca: read("ca.pem"),
    cert: read("client.pem"),
    key: read("client-key.pem"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
