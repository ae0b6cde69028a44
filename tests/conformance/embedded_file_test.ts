import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executorSuite } from "./executor_suite.ts";
import { openEmbedded } from "./open_embedded.ts";
import type { Open } from "./target.ts";

const openInFile: Open = ({ foreignKeys }) => {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "conformance-"));
  const target = openEmbedded(join(folder, "app.db"), foreignKeys);
  const close = async (): Promise<void> => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return Promise.resolve({ ...target, close });
};

executorSuite("embedded() in a file", openInFile);
