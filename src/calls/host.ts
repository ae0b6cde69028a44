import { InterfaceError } from "../errors.ts";
import type { Deadline } from "../time/deadline.ts";
import { Late } from "../late.ts";
import type { Backend } from "./backend.ts";
import type { BatchOptions } from "./executor.ts";
import type { SessionState } from "./session_state.ts";
import { type ResolvedOptions, resolveSettings, type Settings } from "./settings.ts";

const CALLS = new Late("calls", () => import("./backend.ts"));

/** What is there of a client before its first call: how calls are run, and the way to what sends them. */
export class Host {
  /** What the client was made with. */
  readonly options: ResolvedOptions;
  /** What has the backend: this one, or the one that it is a session of. */
  readonly #root: Host;
  #backend: Backend | undefined;
  #closed = false;

  /** Sends nothing. */
  constructor(options: ResolvedOptions, root?: Host) {
    this.options = options;
    this.#root = root ?? this;
  }

  /** The same, whose calls are those of a session. */
  within(session: SessionState): Host {
    const settings: Settings = { ...this.options.settings, level: "none", session };
    return new Host({ ...this.options, settings }, this.#root);
  }

  /** Whether {@linkcode Host.close} was called. */
  get closed(): boolean {
    return this.#root.#closed;
  }

  /**
   * What a call is run with: its options, which were read already, over the client's.
   *
   * @throws {InterfaceError} If the client is closed.
   * @throws {TypeError} If two options do not fit together.
   */
  settings(options: BatchOptions): Settings {
    if (this.closed) throw new InterfaceError("The client is closed: connect() makes another one");
    const settings = resolveSettings(this.options.settings, options);
    settings.signal?.throwIfAborted();
    return settings;
  }

  /** The client's one backend. @param made What the first who asks for it makes it of, and has loaded. */
  backendBy(made: typeof Backend): Backend {
    const root = this.#root;
    if (root.#backend === undefined) {
      root.#backend = new made(root.options);
      if (root.#closed) root.#backend.close();
    }
    return root.#backend;
  }

  /** Does something by the backend, which is loaded first where no call has needed it yet. */
  use<T>(deadline: Deadline, work: (backend: Backend) => T | Promise<T>): T | Promise<T> {
    return CALLS.use(deadline, ({ Backend }) => work(this.backendBy(Backend)));
  }

  /** Ends what is under way; later calls are refused. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#backend?.close();
    this.options.close?.();
  }
}

const HOSTS = new WeakMap<object, Host>();

/** Remembers what is behind a client, for what has to tell databases apart or to ask each node of one. */
export function setHost(client: object, host: Host): void {
  HOSTS.set(client, host);
}

/** What is behind a client; `undefined` of one that is not of `connect`. */
export function hostOf(client: object): Host | undefined {
  return HOSTS.get(client);
}
