/** One request as the code under test made it. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
  readonly init: RequestInit;
}

/** What `fetch` does for one call. */
export type Step =
  | Answer
  /** Rejects, as where the server cannot be reached. */
  | { readonly reject: unknown }
  /** Never settles, but honours the signal. */
  | { readonly hang: true }
  /** Whatever the function makes of the call. */
  | ((call: Call) => Answer | Response | Promise<Answer | Response>);

/** An answer; a `body` that is no text is sent as JSON. */
export interface Answer {
  /** @default {200} */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The body stream ends with this error, after the `body` if there is one. */
  readonly breaksWith?: unknown;
  /** The body stream never ends, after the `body` if there is one, but honours the signal. */
  readonly stalls?: true;
  /** `response.url`, where it differs from the URL asked for. */
  readonly url?: string;
}

/** A `fetch` that plays a script and keeps what it was called with. */
export interface ScriptedFetch {
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Every call so far. */
  readonly calls: readonly Call[];
  /** The steps that were not played. */
  readonly left: number;
}

/**
 * Plays one step per call; a call beyond the script is rejected. With a function in place of the
 * list, every call is answered by it.
 */
export function scriptedFetch(
  script: readonly Step[] | ((call: Call, index: number) => Step),
): ScriptedFetch {
  const calls: Call[] = [];
  const play = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const call = await callOf(input, init);
    call.signal?.throwIfAborted();
    const index = calls.push(call) - 1;
    const step = typeof script === "function" ? script(call, index) : script[index];
    if (step === undefined) throw new Error(`The script has no step ${index + 1}`);
    return await perform(step, call);
  };
  return Object.defineProperties(play, {
    calls: { value: calls },
    left: {
      get: () => typeof script === "function" ? 0 : Math.max(0, script.length - calls.length),
    },
  }) as ScriptedFetch;
}

async function callOf(input: string | URL | Request, init: RequestInit): Promise<Call> {
  const url = input instanceof Request ? input.url : String(input);
  const from = input instanceof Request ? input : undefined;
  const text = init.body === undefined || init.body === null
    ? await from?.text() ?? ""
    : await new Response(init.body).text();
  return {
    method: init.method ?? from?.method ?? "GET",
    url,
    headers: new Headers(init.headers ?? from?.headers),
    body: text,
    signal: init.signal ?? from?.signal ?? undefined,
    init,
  };
}

async function perform(step: Step, call: Call): Promise<Response> {
  const made = typeof step === "function" ? await step(call) : step;
  if (made instanceof Response) return made;
  if ("reject" in made) throw made.reject;
  if ("hang" in made) return await aborted(call.signal);
  return respond(made, call);
}

/** Settles only when the signal fires, with its reason. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function respond(answer: Answer, call: Call): Response {
  const { status = 200, body } = answer;
  const text = typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json; charset=utf-8";
  const headers = { "content-type": type, ...answer.headers };
  const empty = status === 204 || status === 304;
  const broken = "breaksWith" in answer || answer.stalls === true;
  const content = empty ? null : broken ? brokenBody(text, answer, call.signal) : text;
  const response = new Response(content, { status, headers });
  // A Response that was not fetched has no address of its own.
  Object.defineProperty(response, "url", { value: answer.url ?? call.url });
  return response;
}

function brokenBody(
  text: string,
  answer: Answer,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  let sent = text === "";
  return new ReadableStream({
    async pull(controller) {
      if (!sent) {
        sent = true;
        controller.enqueue(new TextEncoder().encode(text));
        return;
      }
      if (answer.stalls) {
        signal?.throwIfAborted();
        await aborted(signal);
      }
      controller.error(answer.breaksWith);
    },
  });
}
