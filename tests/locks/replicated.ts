import type { RedisCommand } from "../../src/locks/redis.ts";

/** Takes and renews a lock where that many replicas have it, and nowhere else; docs/locks.md shows this very function. */
export function replicated(command: RedisCommand, replicas: number): RedisCommand {
  return async (args, key) => {
    if (args.length < 6) return await command(args, key); // no lease: it frees the lock
    const [answer, copies] = await Promise.all([ // over one connection, so one behind the other
      command(args, key),
      command(["WAIT", `${replicas}`, "50"], key), // milliseconds
    ]);
    const taken = answer === 1 || Array.isArray(answer) && answer[0] === 1;
    if (taken && Number(copies) < replicas) {
      throw new Error(`${copies} of ${replicas} replicas have the lock`);
    }
    return answer;
  };
}
