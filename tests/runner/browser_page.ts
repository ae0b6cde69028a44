import { connect } from "../../mod.ts";
import { until } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { dumpPage } from "./browser.ts";
import type { Case } from "./junit.ts";
import { ROOT } from "./paths.ts";

/** Whether the page of `examples/browser` shows the rows of a server. */
export async function checkPage(chromium: string, server: string): Promise<Case> {
  const port = String(await freePort());
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${ROOT}examples/browser/serve.ts`, "--port", port],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const url = `http://127.0.0.1:${port}/?server=${server}`;
    await until("page", async () => {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.ok || undefined;
    });
    const db = connect(server);
    // The browser dumps what is there by some moment of its own: requests may come later on a machine that stalls.
    await until("table of the page", async () => {
      await dumpPage(chromium, url);
      const found = await db.first("SELECT 1 FROM sqlite_schema WHERE name = 'page_notes'");
      return found !== undefined || undefined;
    });
    await db.execute("INSERT INTO page_notes(text, made) VALUES(?, ?)", ["<b>milk</b>", "today"]);
    await db.close();
    const row = "<tr><td>1</td><td>&lt;b&gt;milk&lt;/b&gt;</td><td>today</td></tr>";
    const shown = await until(
      "row",
      async () => (await dumpPage(chromium, url)).includes(row) || undefined,
    ).catch(() => false);
    const state = shown ? "passed" : "failed";
    return { name: "examples/browser shows the rows of a server", state, reason: "" };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}
