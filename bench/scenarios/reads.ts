import { contestOfLoads, fewRequests, ROWS, SHARED, TABLE } from "../loads.ts";
import { BY_HAND, CLIENT, FETCH, OVER_NODE } from "../names.ts";
import type { Scenario } from "../scenario.ts";
import { everyWay, type Listed, read } from "../ways.ts";

const statement = (n: number): Listed => [
  "SELECT id, name, price FROM bench WHERE id = ?",
  n % ROWS + 1,
];

const reads: Scenario = async (bench) => {
  const server = await bench.server();
  await server.sql(...TABLE);
  await contestOfLoads(bench, {
    ways: (url) => everyWay(bench.engine, url),
    call: (way, n) => way.read(...statement(n)),
    together: (url, statements) => read(url, ...statements),
    statement,
    goals(callers, way) {
      if (callers > 1) return way === CLIENT ? SHARED : { [FETCH]: {}, [BY_HAND]: {} };
      if (way === CLIENT) return { [FETCH]: { speed: 1 / 1.05 } };
      return { [FETCH]: way === OVER_NODE ? { speed: 1 / 0.6 } : {} };
    },
    limit: (callers, way) => fewRequests(callers, way, CLIENT),
  }, server);
};

export default reads;
