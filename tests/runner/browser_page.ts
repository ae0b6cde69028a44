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
    await dumpPage(chromium, url); // makes the table
    const db = connect(server);
    await db.execute("INSERT INTO page_notes(text, made) VALUES(?, ?)", ["<b>milk</b>", "today"]);
    await db.close();
    const row = "<tr><td>1</td><td>&lt;b&gt;milk&lt;/b&gt;</td><td>today</td></tr>";
    const html = await dumpPage(chromium, url);
    const state = html.includes(row) ? "passed" : "failed";
    return { name: "examples/browser shows the rows of a server", state, reason: "" };
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
}
