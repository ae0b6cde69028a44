import { callAll } from "../measure.ts";
import { contestOfLoads, fewRequests, ROWS, SHARED, TABLE } from "../loads.ts";
import {
  BY_HAND,
  CLIENT,
  FETCH,
  NO_IDS,
  OVER_NODE,
  SAME_BODY,
  SAME_BODY_NO_IDS,
} from "../names.ts";
import { sameBody } from "../same_body.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { everyWay, type Listed, WITHOUT_IDS, withoutIds, writeTogether } from "../ways.ts";

const statement = (n: number): Listed => [
  "UPDATE bench SET name = ?, price = ? WHERE id = ?",
  `Widget ${n}`,
  n / 4 + 0.1,
  n % ROWS + 1,
];

const writes: Scenario = async (bench) => {
  const server = await bench.server();
  await server.sql(...TABLE);
  await contestOfLoads(bench, {
    ways(url, callers) {
      const [fetch, ...others] = everyWay(bench.engine, url);
      const same = callers > 1 ? [] : [
        sameBody(SAME_BODY, url),
        sameBody(SAME_BODY_NO_IDS, url, WITHOUT_IDS),
      ];
      return [fetch!, ...same, withoutIds(url), ...others];
    },
    call: (way, n) => way.write(...statement(n)),
    together: writeTogether,
    statement,
    goals(callers, way) {
      if (callers > 1) return way === CLIENT ? SHARED : { [FETCH]: {}, [BY_HAND]: {} };
      if (way === NO_IDS) return { [SAME_BODY_NO_IDS]: { speed: 1 / 1.1 }, [FETCH]: {} };
      if (way === CLIENT) return { [SAME_BODY]: { speed: 1 / 1.25 }, [FETCH]: {} };
      return { [FETCH]: {} };
    },
    limit: (callers, way) => fewRequests(callers, way, CLIENT),
  }, server);
  if (bench.engine === "node") await onDisk(bench);
};

/** Where each write waits for a disk, what a transport costs shows in another way. */
async function onDisk(bench: Bench): Promise<void> {
  const server = await bench.server(true);
  await server.sql(...TABLE);
  const operations = bench.quick ? 20 : 100;
  const ways = [FETCH, OVER_NODE];
  await bench.contest({
    title: "1 caller, data on a disk",
    operations,
    rounds: bench.quick ? 3 : 15,
    server,
    cases: (url) =>
      everyWay("node", url).filter(({ name }) => ways.includes(name)).map((way) => ({
        name: way.name,
        run: () => callAll(1, operations, (n) => way.write(...statement(n))),
        ...(way.name === OVER_NODE && { against: { [FETCH]: { speed: 1 / 0.8 } } }),
        close: () => way.close?.(),
      })),
  });
}

export default writes;
