/** Answers every request with one row or one write at once; prints its port. A process of its own. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

const ANSWERS = {
  query: '{"results":[{"columns":["id","name","price"],"types":["integer","text","real"],' +
    '"values":[[1,"Widget A",9.99]]}]}\n',
  execute: '{"results":[{"last_insert_id":1,"rows_affected":1}]}\n',
};

const server = createServer((request, response) => {
  const body = request.url!.startsWith("/db/query") ? ANSWERS.query : ANSWERS.execute;
  request.resume().on("end", () => {
    response.writeHead(200, {
      "content-type": "application/json; charset=utf-8",
      "content-length": body.length,
      "x-rqlite-version": "v10.0.0",
    });
    response.end(body);
  });
});

server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().on("end", () => process.exit());
