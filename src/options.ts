// How objects of options are read, everywhere alike: what is not honoured is refused by its name.

/** Throws where the value of an option has no meaning. */
export type Check = (value: unknown, name: string) => void;

/** One check for each option of a type, so that none can be forgotten. */
export type Checks<O> = { readonly [Name in keyof O]-?: Check };

/**
 * Reads options once. One that is `undefined` counts as not given; those that an object inherits count, too.
 *
 * @param what What the object is called in messages.
 * @returns A copy that holds what was given and nothing else.
 * @throws {TypeError} If it is no object, an option is unknown or has the wrong form.
 * @throws {RangeError} If a number is out of range.
 */
export function readOptions<O extends object>(
  given: O | undefined,
  checks: Checks<NoInfer<O>>,
  what = "the options",
): O {
  const read: Record<string, unknown> = {};
  if (given === undefined) return read as O;
  for (const name of namesOf(given, what)) {
    const value = given[name as keyof O];
    if (value === undefined) continue;
    if (!Object.hasOwn(checks, name)) throw unknownOption(name, Object.keys(checks));
    checks[name as keyof O](value, name);
    read[name] = value;
  }
  return read as O;
}

/** The options among some that a narrower type knows. */
export function pick<O extends object>(given: O, checks: Checks<O>): O {
  return Object.fromEntries(
    Object.entries(given).filter(([name]) => Object.hasOwn(checks, name)),
  ) as O;
}

/** The error for an option that nobody knows; it names the nearest one, or else all of them. */
export function unknownOption(
  name: string,
  known: readonly string[],
  kind = "option",
): TypeError {
  const distances = known.map((one) => distance(name.toLowerCase(), one.toLowerCase()));
  const least = Math.min(...distances);
  const near = known[distances.indexOf(least)] ?? "";
  const advice = least <= Math.max(name.length, near.length) / 2
    ? `did you mean \`${near}\`?`
    : `it may be one of ${known.join(", ")}`;
  const shown = /^[\w$-]{0,40}$/.test(name) ? `\`${name}\`` : "a name";
  return new TypeError(`Cannot use ${shown} as there is no such ${kind}: ${advice}`);
}

/** The error for a value of the wrong type. @param words Whether text that is a word may be shown. */
export function refused(
  name: string,
  wanted: string,
  value: unknown,
  words = false,
): TypeError {
  return new TypeError(
    `Cannot use \`${name}\` as it must be ${wanted}: current value is ${kindOf(value, words)}`,
  );
}

/** Refuses an option that has no meaning where it is, and says what to do. */
export function refusing(advice: string): Check {
  return (_, name) => {
    throw new TypeError(`Cannot use \`${name}\` ${advice}`);
  };
}

/** One of some words. */
export function oneOf(...words: readonly string[]): Check {
  return (value, name) => {
    if (typeof value === "string" && words.includes(value)) return;
    throw refused(name, `one of ${words.join(", ")}`, value, true);
  };
}

/** A number. @param wanted What it must be, in words. */
export function numeric(wanted: string, fits: (n: number) => boolean): Check {
  return (value, name) => {
    if (typeof value !== "number") {
      const quoted = typeof value === "string" && value.trim() !== "" && fits(Number(value));
      const words = quoted ? `${wanted}, not text: write ${Number(value)}` : wanted;
      throw refused(name, words, value, true);
    }
    if (fits(value)) return;
    throw new RangeError(
      `Cannot use \`${name}\` as it must be ${wanted}: current value is ${value}`,
    );
  };
}

/** True or false. */
export const isBoolean: Check = ofType("boolean", "a boolean");

/** Text, which may be empty; it may be a secret, so no message shows it. */
export const isText: Check = (value, name) => {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot use \`${name}\` as it must be text: it is of type ${typeof value}`);
};

/** A function. */
export const isFunction: Check = ofType("function", "a function");

/** Text that is not empty. */
export const isName: Check = (value, name) => {
  if (typeof value !== "string" || value === "") {
    throw refused(name, "text that is not empty", value);
  }
};

/** Names of tables, at least one. */
export const isTables: Check = (tables, name) => {
  const fits = Array.isArray(tables) && tables.length > 0 &&
    tables.every((table) => typeof table === "string" && table !== "");
  if (!fits) throw refused(name, "a list of names of tables that is not empty", tables);
};

/** A signal, also one of another realm. */
export const isSignal: Check = (value, name) => {
  const { addEventListener, aborted } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof addEventListener === "function" && typeof aborted === "boolean") return;
  throw refused(name, "an AbortSignal", value);
};

/** Whether a value is an object that may hold options: no list, no function, and nothing with a kind of its own. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return tagOf(value) === "Object";
}

/** Whether a value is a URL object, also one of another realm. */
export function isUrl(value: unknown): value is URL {
  return tagOf(value) === "URL";
}

/** Repeats: an integer from 0 on. */
export const isCount: Check = numeric(
  "an integer from 0 on",
  (n) => Number.isInteger(n) && n >= 0,
);

/** A limit of a call, in milliseconds. */
export const isTimeout: Check = numeric("a positive number of milliseconds", (n) => n > 0);

function ofType(type: string, wanted: string): Check {
  return (value, name) => {
    const found: string = typeof value;
    if (found !== type) throw refused(name, wanted, value);
  };
}

/** Names on the object and on what it inherits from, up to the prototype of all objects. */
function namesOf(given: object, what: string): string[] {
  if (!isRecord(given)) {
    // Whoever spreads the values of a statement over the arguments gets here.
    const advice = typeof given === "object" ? "" : "; several values go into one list, [a, b]";
    throw new TypeError(
      `Cannot use ${what} as an object is needed: current value is ${kindOf(given)}${advice}`,
    );
  }
  const names = Object.getOwnPropertyNames(given);
  for (
    let from = Object.getPrototypeOf(given);
    from !== null && !Object.hasOwn(from, "isPrototypeOf");
    from = Object.getPrototypeOf(from)
  ) {
    names.push(...Object.getOwnPropertyNames(from).filter((name) => name !== "constructor"));
  }
  return names;
}

/**
 * What a value is; of objects and text only the kind, as what they hold may be a secret.
 *
 * @param words Where a word or a number is meant, text that is one is shown.
 */
export function kindOf(value: unknown, words = false): string {
  if (typeof value === "string") {
    return words && /^[\w.+-]{0,20}$/.test(value) ? JSON.stringify(value) : "text";
  }
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return String(value);
  const tag = tagOf(value);
  return /^[AEIOU]/.test(tag) ? `an ${tag}` : `a ${tag}`;
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** How many letters have to be put in, left out or replaced. */
function distance(a: string, b: string): number {
  let row = [...Array(b.length + 1).keys()];
  for (let i = 0; i < a.length; i++) {
    let [diagonal, left] = [i, i + 1];
    const next = row.slice(1).map((above, j) => {
      left = Math.min(diagonal + (a[i] === b[j] ? 0 : 1), above + 1, left + 1);
      diagonal = above;
      return left;
    });
    row = [i + 1, ...next];
  }
  return row.at(-1) ?? 0;
}
