import assert from "node:assert/strict";
import type { Cluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { type Door, DOORS, type Ops, type Program } from "./doors.ts";
import { type Animal, COMMON, CREATE_COMMON } from "./programs.ts";
import { storeRaw } from "./raw.ts";

/** Lets programs work on one schema after another, and keeps books of what was acknowledged. */
export class Keeper {
  readonly #cluster: Cluster;
  readonly #doors = new Map<string, Door>();
  #done: string[] = [];

  constructor(cluster: Cluster, doors: readonly string[] = Object.keys(DOORS)) {
    this.#cluster = cluster;
    for (const name of doors) this.#doors.set(name, DOORS[name]!(cluster.urls));
  }

  /** Makes the tables, and opens the books anew. */
  async build({ create, foreign = [] }: Animal): Promise<void> {
    this.#done = [];
    await storeRaw(this.#cluster, [...CREATE_COMMON, ...create]);
    await storeRaw(this.#cluster, foreign);
  }

  /** Runs every program of a schema through one door; fails if one of them did. */
  async visit({ programs }: Animal, door: string, rounds: number): Promise<void> {
    const problems: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [what, program] of Object.entries(programs)) {
        problems.push(...await this.#run(door, program, `${what}, by ${door}, ${round}`));
      }
    }
    assert.deepEqual(problems, []);
  }

  /** A program that is acknowledged leaves a row; answers why it was not. */
  async #run(door: string, program: Program, key: string): Promise<string[]> {
    const work = async (ops: Ops): Promise<void> => {
      await program(ops, key);
      await ops.run("INSERT INTO done(key) VALUES(?)", key);
    };
    try {
      await this.#doors.get(door)!.run(work);
      this.enter(key);
      return [];
    } catch (error) {
      return [`${key}: ${error}`];
    }
  }

  /** Enters the key of a row of `done` that was acknowledged. */
  enter(key: string): void {
    this.#done.push(key);
  }

  /** Fails unless every node has what was acknowledged, and nothing that was refused. */
  async check(): Promise<void> {
    for (const rows of await rowsOfEach(this.#cluster, "SELECT key FROM done")) {
      const there = rows.map(([key]) => String(key));
      const lost = this.#done.filter((key) => !there.includes(key));
      const refused = there.filter((key) => !this.#done.includes(key));
      assert.deepEqual({ lost, refused }, { lost: [], refused: [] });
      assert.equal(there.length, this.#done.length);
    }
  }

  /** Compares the replicas of this schema alone, so that each answers for itself. */
  async equal(animal: Animal): Promise<void> {
    const { tables, except = {} } = animal;
    const compared: readonly string[] = [...COMMON, ...tables];
    const isPart = (table: string) => tables.some((name) => table.startsWith(`${name}_`));
    await equalReplicas(this.#cluster, {
      tables: (table) => compared.includes(table) || isPart(table),
      except,
    });
  }

  /** Closes every door. */
  async close(): Promise<void> {
    await Promise.all([...this.#doors.values()].map((door) => door.close()));
  }
}
