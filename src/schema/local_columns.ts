import { ROWID_NAMES } from "../sql/table_columns.ts";
import type { TokenView } from "../sql/token_view.ts";
import { namesIn, usesNode, usesUnnamed } from "./node_state.ts";
import { definitionOf, type SchemaObject, type SchemaObjects } from "./schema_objects.ts";
import type { Effect, Trigger, TriggerEvent } from "./trigger.ts";

/** What nodes may hold differently in the tables and views of a schema. */
export interface LocalColumns {
  /** By table or view in lower case: the columns in lower case. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
  /** The views that read a clock, chance or connection state, also through views below. */
  readonly volatile: ReadonlySet<string>;
}

/**
 * Finds the columns that nodes may hold differently, by going through triggers, views, keys and generated columns until
 * nothing is added.
 */
export function findLocal(schema: SchemaObjects): LocalColumns {
  const search = new Search(schema);
  search.run();
  return search;
}

/** A text as the search asks it. */
interface Body {
  readonly names: ReadonlySet<string>;
  readonly node: boolean;
  readonly unnamed: boolean;
}

/** A trigger and its parts. */
interface KnownTrigger {
  readonly trigger: Trigger;
  readonly body: Body;
  readonly when: Body;
  /** Its effects, each with what tells the rows that it is about; `undefined` if they cannot be told. */
  readonly effects: readonly { readonly effect: Effect; readonly choice: Body }[] | undefined;
}

/** Stands for every table or column. */
export const ANY = "*";

/** What no table has, and no text names. */
const NONE: ReadonlySet<string> = new Set();

class Search implements LocalColumns {
  readonly columns: Map<string, Set<string>> = new Map();
  readonly volatile: Set<string> = new Set();
  readonly #schema: SchemaObjects;
  readonly #triggers: readonly KnownTrigger[];
  readonly #views: readonly [name: string, body: Body][];
  /** Tables whose rows may be there on some nodes only. */
  readonly #rows: Set<string> = new Set();
  /** Triggers that may fire on some nodes only. */
  readonly #parted: Set<Trigger> = new Set();
  #grown = false;

  constructor(schema: SchemaObjects) {
    this.#schema = schema;
    this.#triggers = schema.triggers.map((trigger) => ({
      trigger,
      body: bodyOf(trigger.body),
      when: bodyOf(trigger.when),
      effects: trigger.effects?.map((effect) => ({ effect, choice: bodyOf(effect.choice) })),
    }));
    this.#views = [...schema.objects].filter(([, { kind }]) => kind === "view")
      .map(([name, { text }]) => [name, text === undefined ? UNREADABLE : bodyOf(text)]);
  }

  run(): void {
    for (const [name, object] of this.#schema.objects) this.#begin(name, object);
    do {
      this.#grown = false;
      for (const [name, body] of this.#views) this.#view(name, body);
      for (const trigger of this.#triggers) this.#trigger(trigger);
      for (const [name, object] of this.#schema.objects) this.#table(name, object);
    } while (this.#grown);
  }

  /** The local columns of a table, as far as they are found. */
  #of(table: string): ReadonlySet<string> {
    return this.columns.get(table) ?? NONE;
  }

  #begin(name: string, { kind, columns, unclear }: SchemaObject): void {
    this.columns.set(name, new Set());
    const unknown = unclear && kind === "table";
    if (unknown && columns.length === 0) this.#add(name, ANY);
    for (const { name: column, key, volatileDefault } of columns) {
      if (volatileDefault || (unknown && key === 0)) this.#add(name, column);
    }
  }

  #add(table: string, column: string): void {
    const local = this.columns.get(table);
    if (local === undefined || local.has(column.toLowerCase())) return;
    local.add(column.toLowerCase());
    this.#grown = true;
  }

  #addAll(table: string): void {
    const columns = this.#schema.objects.get(table)?.columns ?? [];
    if (columns.length === 0) this.#add(table, ANY);
    for (const { name } of columns) this.#add(table, name);
  }

  #addRows(table: string): void {
    this.#addAll(table);
    if (this.#rows.has(table)) return;
    this.#rows.add(table);
    this.#grown = true;
  }

  #view(name: string, body: Body): void {
    const through = [...this.volatile].some((view) => view !== name && body.names.has(view));
    if ((body.node || through) && !this.volatile.has(name)) {
      this.volatile.add(name);
      this.#grown = true;
    }
    if (this.#tainted(body, name)) this.#addRows(name);
  }

  #trigger(known: KnownTrigger): void {
    const { trigger, body, when, effects } = known;
    const { subject, raises } = trigger;
    if (effects === undefined) {
      for (const name of [subject, ...body.names]) this.#addRows(name);
      return;
    }
    const parted = this.#parted.has(trigger) || this.#firesByRows(trigger);
    if (!parted && !this.#depends(body, subject)) return;
    const sometimes = parted || raises || this.#depends(when, subject);
    for (const { effect, choice } of effects) {
      const chosen = sometimes || this.#depends(choice, subject);
      this.#assign(effect, chosen);
      if (chosen) this.#part(effect.table, effect.event, effect.columns);
    }
    if (raises) this.#addRows(subject);
  }

  /** Nodes that hold other rows update and delete others; what is inserted they insert alike. */
  #firesByRows({ subject, event }: Trigger): boolean {
    return event !== "INSERT" && (this.#rows.has(subject) || this.volatile.has(subject));
  }

  /** Whether a part of a trigger depends on local data, that of the row that fires it included. */
  #depends(body: Body, subject: string): boolean {
    return this.#tainted(body) || this.#usesLocal(body, subject);
  }

  /** @param chosen Some nodes do it, others may not. */
  #assign({ event, table, columns, rows }: Effect, chosen: boolean): void {
    // INSERT OR REPLACE of a caller holds for what its triggers write, too.
    const comes = rows || (chosen && event === "INSERT") || this.#decides(table, columns);
    if (comes) this.#addRows(table);
    else if (columns === undefined) this.#addAll(table);
    else for (const column of columns) this.#add(table, column);
  }

  /** Triggers of the table may fire on some nodes only. */
  #part(table: string, event: TriggerEvent, columns: readonly string[] | undefined): void {
    for (const { trigger } of this.#triggers) {
      if (trigger.subject !== table || this.#parted.has(trigger)) continue;
      const fires = trigger.event === undefined || trigger.event === event;
      const touched = trigger.of === undefined || columns === undefined ||
        trigger.of.some((column) => columns.includes(column));
      if (!fires || !touched) continue;
      this.#parted.add(trigger);
      this.#grown = true;
    }
  }

  /** Whether a text depends on anything that nodes may hold or evaluate differently. */
  #tainted(body: Body, self?: string): boolean {
    if (body.node) return true;
    for (const name of body.names) {
      if (name === self) continue;
      if (this.volatile.has(name) || this.#rows.has(name)) return true;
      if (this.#usesLocal(body, name)) return true;
    }
    return false;
  }

  #usesLocal({ names, unnamed }: Body, table: string): boolean {
    const object = this.#schema.objects.get(table);
    if (object === undefined) return false;
    const local = this.#of(table);
    const named = [...local].some((column) => column === ANY || names.has(column));
    if (named || (unnamed && local.size > 0)) return true;
    return isRenumbered(object) && ROWID_NAMES.some((rowid) => names.has(rowid));
  }

  #table(name: string, object: SchemaObject): void {
    if (object.kind === "virtual") this.#virtual(name, object);
    else if (object.kind === "table") {
      this.#conflicts(name, object);
      this.#generated(name, object);
      this.#foreignKeys(name, object);
    }
  }

  /** Such as an index over some columns of another table: its text names both. */
  #virtual(name: string, { text }: SchemaObject): void {
    const names = text === undefined ? new Set<string>() : namesIn(text);
    for (const source of names) {
      const local = source === name ? undefined : this.columns.get(source);
      if (local === undefined || local.size === 0) continue;
      const indexes = this.#schema.objects.get(source)?.kind === "table" && !this.#rows.has(source);
      if (!indexes || [...local].some((one) => one === ANY || names.has(one))) this.#addAll(name);
    }
  }

  /** Whether a key or a unique index may have one of the columns; all of them if `undefined`. */
  #decides(table: string, assigned: readonly string[] | undefined): boolean {
    const object = this.#schema.objects.get(table);
    if (object === undefined) return false;
    const differs = (column: string | null) =>
      column === null || assigned === undefined || assigned.includes(column.toLowerCase());
    return object.indexes.some(([, unique, , names]) => unique === 1 && names.some(differs)) ||
      object.columns.some(({ name, key }) => key > 0 && differs(name));
  }

  /** Rows that give way, or do not come, because of what a local column holds. */
  #conflicts(name: string, { text }: SchemaObject): void {
    const local = this.#of(name);
    if (local.size === 0 || text === undefined) return;
    const resolves = (how: string) =>
      text.tokens.some((_, i) => text.isWord(i, "CONFLICT") && text.isWord(i + 1, how));
    const replaces = resolves("REPLACE") && this.#decides(name, [...local]);
    if (replaces || resolves("IGNORE")) this.#addRows(name);
  }

  #generated(name: string, { text, columns }: SchemaObject): void {
    const local = this.#of(name);
    if (local.size === 0) return;
    for (const column of columns) {
      if (!column.generated || local.has(column.name.toLowerCase())) continue;
      const definition = text && definitionOf(text, column.name);
      const used = definition && namesIn(definition);
      if (used === undefined || [...local].some((one) => one === ANY || used.has(one))) {
        this.#add(name, column.name);
      }
    }
  }

  #foreignKeys(name: string, { foreignKeys }: SchemaObject): void {
    for (const [table, from, to, onUpdate, onDelete] of foreignKeys) {
      const mine = this.#of(name).has(from.toLowerCase());
      if (mine && acts(onDelete)) this.#part(name, "UPDATE", [from.toLowerCase()]);
      if (mine && onDelete === "CASCADE") this.#addRows(name);
      const parent = table.toLowerCase();
      const local = this.columns.get(parent);
      if (local === undefined) continue;
      const changes = to === null ? local.size > 0 : local.has(to.toLowerCase());
      if (changes && acts(onUpdate)) this.#change(name, from);
      if (!this.#rows.has(parent) || !acts(onDelete)) continue;
      if (onDelete === "CASCADE") this.#addRows(name);
      else this.#change(name, from);
    }
  }

  #change(table: string, column: string): void {
    if (this.#decides(table, [column.toLowerCase()])) this.#addRows(table);
    this.#add(table, column);
    this.#part(table, "UPDATE", [column.toLowerCase()]);
  }
}

/** Whether a foreign key's action writes the table that has it. */
export function acts(action: string): boolean {
  return action !== "NO ACTION" && action !== "RESTRICT";
}

const UNREADABLE: Body = { names: new Set(), node: true, unnamed: true };

function bodyOf(view: TokenView): Body {
  return { names: namesIn(view), node: usesNode(view), unnamed: usesUnnamed(view) };
}

/** VACUUM gives its rows other rowids, on each node by itself. */
function isRenumbered({ kind, rowid, withoutRowid, columns }: SchemaObject): boolean {
  return kind === "table" && rowid === undefined && !withoutRowid &&
    !columns.some(({ name }) => ROWID_NAMES.includes(name.toLowerCase()));
}
