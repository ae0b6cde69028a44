import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { skipWithoutRqlited, startRqlited } from "./rqlited.ts";

/** A database that is empty, and a client of it. */
export interface Database {
  readonly db: Client;
  close(): Promise<void>;
}

/** Where a suite that needs no more than a client runs. */
export interface DatabaseKind {
  readonly name: string;
  readonly skip: string | false;
  open(): Promise<Database>;
}

function openEmbedded(): Promise<Database> {
  const db = connect(embedded());
  return Promise.resolve({ db, close: () => db.close() });
}

async function openRqlited(): Promise<Database> {
  const server = await startRqlited();
  const db = connect(server.url);
  return {
    db,
    close: async () => {
      await db.close();
      await server.stop();
    },
  };
}

/** Every implementation of the server's protocol at hand. */
export const DATABASES: readonly DatabaseKind[] = [
  { name: "the embedded engine", skip: false, open: openEmbedded },
  { name: "rqlited", skip: skipWithoutRqlited(), open: openRqlited },
];
