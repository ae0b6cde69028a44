import { BARE_PAIRS, TRANSACTION } from "../names.ts";
import type { Scenario } from "../scenario.ts";
import { client, read, write } from "../ways.ts";

const INSERT = "INSERT INTO notes(text) VALUES(?)";
const SELECT = "SELECT text FROM notes WHERE text = ?";

/** How many writes, and how many times as long as by hand they may take. */
const SIZES = [[50, 2], [100, 2.5], [200, 3]] as const;

const readback: Scenario = async (bench) => {
  const server = await bench.server();
  await server.sql("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT UNIQUE)");
  let round = 0;
  for (const [count, times] of bench.quick ? SIZES.slice(0, 1) : SIZES) {
    await bench.contest({
      title: `${count} writes`,
      operations: 1,
      rounds: bench.quick ? 2 : 5,
      server,
      cases(url) {
        const db = client(url);
        const texts = (): string[] => {
          const name = round++;
          return Array.from({ length: count }, (_, i) => `note ${name} ${i}`);
        };
        return [
          {
            name: BARE_PAIRS,
            async run() {
              for (const text of texts()) {
                await write(url, [INSERT, text]);
                await read(url, [SELECT, text]);
              }
            },
          },
          {
            name: TRANSACTION,
            run: () =>
              db.transaction(async (tx) => {
                for (const text of texts()) {
                  await tx.execute(INSERT, [text]);
                  await tx.query(SELECT, [text]);
                }
              }),
            against: { [BARE_PAIRS]: { speed: 1 / times } },
            close: () => db.close(),
          },
        ];
      },
    });
  }
};

export default readback;
