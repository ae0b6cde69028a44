/** Hands out names of TypeScript, each once. */
export class Names {
  readonly #reserved: ReadonlySet<string>;
  readonly #given: Set<string> = new Set();

  /** @param reserved What is not to be handed out. */
  constructor(reserved: Iterable<string>) {
    this.#reserved = new Set(reserved);
  }

  /** The name itself; with the suffix if it is reserved, with a number if it was handed out before. */
  take(name: string, suffix: string): string {
    const base = this.#reserved.has(name) ? name + suffix : name;
    let free = base;
    for (let n = 2; this.#reserved.has(free) || this.#given.has(free); n++) free = base + n;
    this.#given.add(free);
    return free;
  }
}

/** `order items` as `OrderItems`. */
export function pascalCase(name: string): string {
  return identifier(name, (words) => words.map(capital).join(""));
}

/** `order items` as `orderItems`. */
export function camelCase(name: string): string {
  return identifier(name, ([first = "", ...others]) => {
    const start = first.slice(0, 1).toLowerCase() + first.slice(1);
    return start + others.map(capital).join("");
  });
}

/** A name as a key of an object or interface. */
export function propertyKey(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function identifier(name: string, join: (words: string[]) => string): string {
  const [start = ""] = /^_+/.exec(name) ?? [];
  const words = name.split(/[^\p{ID_Continue}$]+|_+/u).filter((word) => word !== "").map(calm);
  const joined = start + join(words);
  return /^[\p{ID_Start}$_]/u.test(joined) ? joined : `_${joined}`;
}

function capital(word: string): string {
  const [first = ""] = word;
  return first.toUpperCase() + word.slice(first.length);
}

/** A word in capitals is not meant to shout. */
function calm(word: string): string {
  return word === word.toUpperCase() ? word.toLowerCase() : word;
}
