import { contestOfLoads, fewRequests, ROWS, SHARED, TABLE } from "../loads.ts";
import { BY_HAND, CLIENT, FETCH, OVER_NODE, SAME_BODY } from "../names.ts";
import { sameBody } from "../same_body.ts";
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
    ways(url, callers) {
      const [fetch, ...others] = everyWay(bench.engine, url);
      return [fetch!, ...(callers === 1 ? [sameBody(SAME_BODY, url)] : []), ...others];
    },
    call: (way, n) => way.read(...statement(n)),
    together: (url, statements) => read(url, ...statements),
    statement,
    goals(callers, way) {
      if (callers > 1) return way === CLIENT ? SHARED : { [FETCH]: {}, [BY_HAND]: {} };
      if (way === CLIENT) return { [SAME_BODY]: { speed: 1 / 1.05 }, [FETCH]: {} };
      return { [FETCH]: way === OVER_NODE ? { speed: 1 / 0.6 } : {} };
    },
    limit: (callers, way) => fewRequests(callers, way, CLIENT),
  }, server);
};

export default reads;
