import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage } from "node:http";
import { RespClient, RespError } from "./resp.ts";

/** Upstash's HTTP interface in front of a server of ours: one command a request, texts in base64. */
export async function startUpstash(port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const redis = await RespClient.connect(port);
  const server = createServer(async (request, response) => {
    const command = JSON.parse(await bodyOf(request)) as unknown[];
    const answer = await redis.send(...command.map(String)).then(
      (result) => ({ status: 200, body: { result: encode(result) } }),
      (error) => ({
        status: error instanceof RespError ? 400 : 500,
        body: { error: error.message },
      }),
    );
    response.writeHead(answer.status, {
      "content-type": "application/json",
      "connection": "close",
    });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await redis.close();
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function encode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(encode);
  return typeof value === "string" && value !== "OK"
    ? Buffer.from(value).toString("base64")
    : value;
}
