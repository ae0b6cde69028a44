/** Another process: raises a price in transactions and notes a visit, so many times. */

import process from "node:process";
import { connect } from "../../mod.ts";

const [url = "", rounds = "0"] = process.argv.slice(2);
const db = connect(url, { timeout: 60_000 });
for (let round = 0; round < Number(rounds); round++) {
  await db.transaction(async (tx) => {
    const { rows: [product] } = await tx.query<{ price: number }>(
      "SELECT price FROM products WHERE id = ?",
      [1],
    );
    const price = product!.price + 1;
    await tx.execute("UPDATE products SET price = ? WHERE id = ?", [price, 1]);
  }, { retries: 1000 });
  await db.execute("INSERT INTO visits DEFAULT VALUES");
}
await db.close();
