import { holdsId } from "./commits.ts";

/** What happens to one write on its way; whatever is "delayed" may be delivered later, any number of times. */
export type Fate =
  /** It arrives, and its answer comes back. */
  | "pass"
  /** It arrives, the answer is lost; a copy stays under way. */
  | "lose answer"
  /** It does not arrive yet, and nobody answers. */
  | "delay"
  /** It arrives twice; the second answer is relayed, as followers do. */
  | "double";

/** A write that is or was under way. */
export interface Copy {
  readonly url: string;
  readonly init: RequestInit;
  readonly body: string;
}

/** A network in front of a node that loses answers, and delays and doubles requests. */
export class FaultyNetwork {
  /** Every request that came with an id of a commit, in order. */
  readonly copies: Copy[] = [];
  /** Every request, as its path. */
  readonly requests: string[] = [];
  /** Asked once for each of them; `undefined` is "pass". */
  plan: (copy: Copy) => Fate | undefined = () => "pass";
  readonly #node: typeof fetch;

  constructor(node: typeof fetch) {
    this.#node = node;
  }

  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const url = String(input instanceof Request ? input.url : input);
    const body = init.body ? await new Response(init.body).text() : "";
    this.requests.push(new URL(url).pathname);
    if (!holdsId(body)) return await this.#node(url, init);
    const { signal: _, ...kept } = init;
    const copy: Copy = { url, init: { ...kept, body }, body };
    this.copies.push(copy);
    const fate = this.plan(copy) ?? "pass";
    if (fate === "delay") throw lost();
    if (fate === "double") await this.deliver(copy);
    const response = await this.#node(url, copy.init);
    if (fate !== "lose answer") return response;
    await response.body?.cancel();
    throw lost();
  };

  /** Lets a copy arrive, once more or for the first time; answers its body. */
  async deliver({ url, init }: Copy): Promise<string> {
    const response = await this.#node(url, init);
    return await response.text();
  }
}

function lost(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new TypeError("fetch failed", { cause });
}
