import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream/promises";
import type { Agents } from "./agents.ts";
import { responseOf } from "./incoming.ts";
import type { Outgoing } from "./outgoing.ts";

/** Sends a request once. The promise settles with the answer's headers, as that of `fetch`. */
export function exchange(outgoing: Outgoing, agents: Agents): Promise<Response> {
  const { target, method, headers, body, signal } = outgoing;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const request = target.secure
      ? httpsRequest({ ...target.options, method, headers, agent: agents.https })
      : httpRequest({ ...target.options, method, headers, agent: agents.http });
    let fail = reject;
    const onAbort = (): void => {
      fail(signal?.reason);
      request.destroy();
    };
    const cleanUp = (): void => signal?.removeEventListener("abort", onAbort);
    signal?.addEventListener("abort", onAbort);
    request.on("error", (cause) => {
      fail(failed(request, cause));
      cleanUp();
    });
    request.on("response", (message: IncomingMessage) => {
      const answer = responseOf(message, method, cleanUp);
      fail = answer.fail;
      resolve(answer.response);
    });
    send(request, body, (cause) => {
      fail(new TypeError("Cannot read the body that was to be sent", { cause }));
      request.destroy();
    });
  });
}

/** As `fetch` says it, with a code where the handshake of TLS was not over: no byte of the request left before that. */
function failed({ socket }: ClientRequest, cause: Error): TypeError {
  const error = new TypeError("fetch failed", { cause });
  const { secureConnecting } = (socket ?? {}) as { readonly secureConnecting?: unknown };
  return secureConnecting === true ? Object.assign(error, { code: "ERR_NOT_SENT" }) : error;
}

function send(
  request: ClientRequest,
  body: Outgoing["body"],
  unreadable: (cause: unknown) => void,
): void {
  if (!(body instanceof ReadableStream)) return void request.end(body);
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      unreadable(error);
    }
  };
  // What happens to the request is told by its own events.
  pipeline(pieces, request).catch(() => {});
}
