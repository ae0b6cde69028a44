/** The script of the page: it shows notes and adds one, without a server of its own in between. */

// In your project this one is "@tangled/rqlite".
import { connect, RqliteError } from "../../mod.ts";

interface Note {
  readonly id: number;
  readonly text: string;
  readonly made: string;
}

const url = new URL(location.href).searchParams.get("server") ?? "http://localhost:4001";
const db = connect(url, { timeout: 5_000 });

const form = document.querySelector("form")!;
const list = document.querySelector("tbody")!;
const status = document.querySelector("output")!;

async function show(): Promise<void> {
  const { rows } = await db.query<Note>("SELECT id, text, made FROM page_notes ORDER BY id");
  list.replaceChildren(...rows.map(({ id, text, made }) => {
    const row = document.createElement("tr");
    row.append(...[String(id), text, made].map((value) => {
      const cell = document.createElement("td");
      cell.textContent = value;
      return cell;
    }));
    return row;
  }));
  status.textContent = `${rows.length} in ${new URL(url).host}.`;
  status.className = "";
}

/** Shows what went wrong where the reader looks. */
async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    status.textContent = error instanceof RqliteError ? error.message : String(error);
    status.className = "problem";
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void attempt(async () => {
    const text = String(new FormData(form).get("text"));
    await db.execute("INSERT INTO page_notes(text, made) VALUES(?, ?)", [text, new Date()]);
    form.reset();
    await show();
  });
});

await attempt(async () => {
  await db.execute(
    "CREATE TABLE IF NOT EXISTS page_notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL, made TEXT)",
  );
  await show();
});
