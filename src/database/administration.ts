/**
 * What is about the cluster and its nodes, and not about rows; loaded together, as programs seldom need it.
 *
 * @module
 */

import type { Cluster, NodesOptions, ReadyOptions, StepDownOptions } from "../client/cluster.ts";
import type { Host } from "../client/backend.ts";
import { Connection } from "../client/connection.ts";
import type { CallOptions } from "../client/executor.ts";
import type { Call } from "../commit/own.ts";
import { isName } from "../options.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Deadline } from "../transport/deadline.ts";
import type { Node } from "../wire/cluster.ts";

export { backup } from "./backup.ts";
export { boot, load } from "./load.ts";

/** See `Client.nodes`. */
export function nodes(
  host: Host,
  { deadline }: Call,
  given: NodesOptions,
): Promise<Node[]> {
  return ask(host, deadline, (cluster) => cluster.nodes(deadline, given));
}

/** See `Client.leader`. */
export function leader(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
): Promise<Node | undefined> {
  return ask(host, deadline, (cluster) => cluster.leader(deadline));
}

/** See `Client.status`. */
export function status(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
): Promise<Record<string, unknown>> {
  return ask(host, deadline, (cluster) => cluster.status(deadline));
}

/** See `Client.ready`. */
export function ready(
  host: Host,
  { deadline }: Call,
  given: ReadyOptions,
): Promise<boolean> {
  return ask(host, deadline, (cluster) => cluster.ready(deadline, given));
}

/** See `Client.stepDown`. */
export function stepDown(
  host: Host,
  { deadline }: Call,
  given: StepDownOptions,
): Promise<void> {
  return ask(host, deadline, (cluster) => cluster.stepDown(deadline, given));
}

/** See `Client.removeNode`. */
export function removeNode(
  host: Host,
  { deadline }: Call,
  _: CallOptions,
  id: string,
): Promise<void> {
  isName(id, "id");
  return ask(host, deadline, (cluster) => cluster.removeNode(deadline, id));
}

/** See `Client.snapshot`. */
export function snapshot(host: Host, { deadline }: Call, _: CallOptions): Promise<void> {
  return ask(host, deadline, (cluster) => cluster.snapshot(deadline));
}

/** See `Client.enqueue`. */
export async function enqueue(
  host: Host,
  { deadline }: Call,
  wait: boolean,
  ready: () => Promise<readonly Prepared[]>,
): Promise<{ sequence: bigint }> {
  const statements = await ready();
  // A follower sends its queue on without the user's name, is refused, and does so for ever.
  if (host.connectedBy(Connection).hasUser) {
    await ask(host, deadline, (cluster) => cluster.findLeader(deadline));
  }
  return await ask(host, deadline, (cluster) => cluster.enqueue(deadline, statements, wait));
}

async function ask<T>(
  host: Host,
  deadline: Deadline,
  question: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  return await host.connectedBy(Connection).ask(deadline, question);
}
