/** Whether the sender of a request knows a secret, told in a time that does not depend on how much of it is right. */
export class Secret {
  readonly #digest: Promise<Uint8Array>;

  /** @param secret What the sender has to know. */
  constructor(secret: string) {
    this.#digest = digestOf(secret);
  }

  /** Reads it from the password of a Basic authorization, as the server sends it, or from a Bearer token. */
  async isKnownTo({ headers }: Request): Promise<boolean> {
    const given = tokenOf(headers.get("authorization") ?? "");
    const [right, found] = await Promise.all([this.#digest, digestOf(given ?? "")]);
    let difference = given === undefined ? 1 : 0;
    for (let i = 0; i < right.length; i++) difference |= right[i]! ^ found[i]!;
    return difference === 0;
  }
}

async function digestOf(text: string): Promise<Uint8Array> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest);
}

function tokenOf(authorization: string): string | undefined {
  const [, scheme, token] = /^(Basic|Bearer) +(\S+) *$/i.exec(authorization) ?? [];
  if (token === undefined || scheme!.toLowerCase() === "bearer") return token;
  try {
    const bytes = Uint8Array.from(atob(token), (char) => char.charCodeAt(0));
    const user = new TextDecoder().decode(bytes);
    return user.includes(":") ? user.slice(user.indexOf(":") + 1) : undefined;
  } catch {
    return undefined; // not base64
  }
}
