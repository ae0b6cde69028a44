/**
 * What is about the cluster and its nodes, and not about rows; loaded together, as programs seldom need it.
 *
 * @module
 */

import type { Cluster, NodesOptions, ReadyOptions, StepDownOptions } from "../calls/cluster.ts";
import type { Host } from "../calls/host.ts";
import { Backend } from "../calls/backend.ts";
import type { CallOptions } from "../calls/executor.ts";
import type { Made, Send } from "../calls/interceptors.ts";
import type { WriteCall } from "../commit/write_call.ts";
import { type Call, until } from "../calls/call.ts";
import { noteUnmarked } from "../calls/session_notes.ts";
import { isName } from "../options.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";
import type { Node } from "../wire/cluster.ts";
import { backup } from "./backup.ts";
import { boot, load } from "./load.ts";

/** See `Client.nodes`. */
function nodes(
  host: Host,
  { deadline }: Call,
  given: NodesOptions,
): Promise<Node[]> {
  return ask(host, deadline, (cluster) => cluster.nodes(deadline, given));
}

/** See `Client.leader`. */
function leader(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
): Promise<Node | undefined> {
  return ask(host, deadline, (cluster) => cluster.leader(deadline));
}

/** See `Client.status`. */
function status(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
): Promise<Record<string, unknown>> {
  return ask(host, deadline, (cluster) => cluster.status(deadline));
}

/** See `Client.ready`. */
function ready(
  host: Host,
  { deadline }: Call,
  given: ReadyOptions,
): Promise<boolean> {
  return ask(host, deadline, (cluster) => cluster.ready(deadline, given));
}

/** See `Client.stepDown`. */
function stepDown(
  host: Host,
  { deadline }: Call,
  given: StepDownOptions,
): Promise<void> {
  return ask(host, deadline, (cluster) => cluster.stepDown(deadline, given));
}

/** See `Client.removeNode`. */
function removeNode(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
  id: string,
): Promise<void> {
  isName(id, "id");
  return ask(host, deadline, (cluster) => cluster.removeNode(deadline, id));
}

/** See `Client.snapshot`. */
function snapshot(host: Host, { deadline }: Call, _: CallOptions): Promise<void> {
  return ask(host, deadline, (cluster) => cluster.snapshot(deadline));
}

/** See `Client.enqueue`. @param ready What is sent for it. */
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
      if (session !== undefined && wait) noteUnmarked(session);
    }
  });
}

const ADMINISTRATION = {
  nodes,
  leader,
  status,
  ready,
  stepDown,
  removeNode,
  snapshot,
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
  call: Call,
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
