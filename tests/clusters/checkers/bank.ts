import type { Op } from "../history.ts";

/** A transfer between two accounts, or a look at all of them. */
export type BankCall =
  | { readonly from: number; readonly to: number; readonly amount: number }
  | { readonly balances: readonly number[] };

/**
 * Is money neither made nor lost? Every look at all accounts tells the same total, and the balances in the end are those
 * that the transfers leave which were acknowledged.
 *
 * @param each What each account holds in the beginning.
 * @param final The balances in the end.
 */
export function checkBank(
  ops: readonly Op<BankCall>[],
  each: number,
  final: readonly number[],
): string[] {
  const total = each * final.length;
  const looks = ops.flatMap(({ caller, ended, did }) =>
    "balances" in did && ended === "done" ? [{ caller, balances: did.balances }] : []
  );
  const wrong = [...looks, { caller: "the end", balances: final }].flatMap(
    ({ caller, balances }) => {
      const sum = balances.reduce((a, b) => a + b, 0);
      if (sum !== total) return [`${caller} saw ${sum} instead of ${total}: ${balances}`];
      return balances.some((balance) => balance < 0) ? [`${caller} saw a debt: ${balances}`] : [];
    },
  );
  return [...wrong, ...checkBalances(ops, each, final)];
}

function checkBalances(
  ops: readonly Op<BankCall>[],
  each: number,
  final: readonly number[],
): string[] {
  const least = final.map(() => each);
  const most = final.map(() => each);
  for (const { ended, did } of ops) {
    if (!("amount" in did) || ended === "not done") continue;
    least[did.from]! -= did.amount;
    most[did.to]! += did.amount;
    if (ended === "unknown") continue;
    most[did.from]! -= did.amount;
    least[did.to]! += did.amount;
  }
  return final.flatMap((balance, i) =>
    balance >= least[i]! && balance <= most[i]!
      ? []
      : [`account ${i} holds ${balance}, not ${span(least[i]!, most[i]!)}`]
  );
}

/** `5`, or `5 to 7`. */
export function span(least: number, most: number): string {
  return least === most ? String(least) : `${least} to ${most}`;
}
