/** Another process: takes the lock "a", says so, and holds it until it is killed. */

import process from "node:process";
import { denoRedis, RedisLock } from "../../src/locks/redis.ts";
import { RespClient } from "../support/resp.ts";

const [port = "", lease = ""] = process.argv.slice(2);
const client = await RespClient.connect(Number(port));
const options = { name: "a", command: denoRedis(client), leaseDuration: Number(lease) };
await new RedisLock(options).acquire();
console.log("taken");
