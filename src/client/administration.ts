import type { Cluster } from "../calls/cluster.ts";
import type { Host } from "../calls/host.ts";
import { Backend } from "../calls/backend.ts";
import type { CallOptions } from "../calls/executor.ts";
import type { Made, Send } from "../calls/interceptors.ts";
import type { WriteCall } from "../commit/write_call.ts";
import { type CallContext, until } from "../calls/call_context.ts";
import { noteUnlogged } from "../calls/session.ts";
import { isName } from "../options.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";
import { backup } from "./backup.ts";
import { boot, load } from "./load.ts";
import type { NodesOptions, ReadyOptions, StepDownOptions } from "./method_options.ts";

// Loaded together, as programs seldom need any of it.
export { insertMany } from "./insert_many.ts";
export { runScript } from "./script.ts";

/** Hands writes to the queue of a node. @param ready What is sent for it. */
export function enqueue(
  host: Host,
  asked: WriteCall,
  wait: boolean,
  ready: (asked: WriteCall) => Promise<readonly Prepared[]>,
): Promise<{ sequence: bigint }> {
  const { operation, forms, call: { deadline } } = asked;
  return through(host, { operation, forms, deadline }, async (forms, deadline) => {
    const statements = await ready({ ...asked, forms, call: until(deadline, asked.call) });
    // A follower sends its queue on without the user's name, is refused, and does so for ever.
    if (host.backendBy(Backend).hasUser) {
      await ask(host, deadline, (cluster) => cluster.findLeader(deadline));
    }
    try {
      return await ask(host, deadline, (cluster) => cluster.enqueue(deadline, statements, wait));
    } finally {
      const { session } = asked.call.settings;
      if (session !== undefined && wait) noteUnlogged(session);
    }
  });
}

/** What is one question about the cluster. */
function asking<O, T, Subject extends readonly unknown[] = []>(
  question: (cluster: Cluster, deadline: Deadline, given: O, ...subject: Subject) => Promise<T>,
): (host: Host, call: CallContext, given: O, ...subject: Subject) => Promise<T> {
  return (host, { deadline }, given, ...subject) =>
    ask(host, deadline, (cluster) => question(cluster, deadline, given, ...subject));
}

const ADMINISTRATION = {
  nodes: asking((cluster, end, given: NodesOptions) => cluster.nodes(end, given)),
  leader: asking((cluster, end, _: CallOptions) => cluster.leader(end)),
  status: asking((cluster, end, _: CallOptions) => cluster.status(end)),
  ready: asking((cluster, end, given: ReadyOptions) => cluster.ready(end, given)),
  stepDown: asking((cluster, end, given: StepDownOptions) => cluster.stepDown(end, given)),
  removeNode: asking((cluster, end, _: CallOptions, id: string) => {
    isName(id, "id");
    return cluster.removeNode(end, id);
  }),
  snapshot: asking((cluster, end, _: CallOptions) => cluster.snapshot(end)),
  backup,
  load,
  boot,
};

/** What {@linkcode administer} does, by the names of the methods of `Client`. */
export type Administration = typeof ADMINISTRATION;

/** The options of one of them. */
export type OptionsOf<Name extends keyof Administration> = Parameters<Administration[Name]>[2];

/** What one of them is about, besides its options. */
export type SubjectOf<Name extends keyof Administration> = Parameters<Administration[Name]> extends
  [unknown, unknown, unknown, ...infer Subject] ? Subject
  : never;

/** Does one of them. @param given Its options, read already. */
export function administer<Name extends keyof Administration>(
  name: Name,
  host: Host,
  call: CallContext,
  given: OptionsOf<Name>,
  subject: SubjectOf<Name>,
): Promise<unknown> {
  const does = ADMINISTRATION[name] as (...args: unknown[]) => Promise<unknown>;
  return through(
    host,
    { operation: name, deadline: call.deadline },
    (_, deadline) => does(host, until(deadline, call), given, ...subject),
  );
}

/** Does what answers no results, within the interceptors if there are any. */
async function through<T>(host: Host, made: Made, send: Send<T>): Promise<T> {
  const backend = host.backendBy(Backend);
  if (!backend.intercepted) return await send(made.forms ?? [], made.deadline);
  return await backend.through(made.deadline, (interceptors) => interceptors.carry(made, send));
}

async function ask<T>(
  host: Host,
  deadline: Deadline,
  question: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  return await host.backendBy(Backend).ask(deadline, question);
}
