/** The body of a request: JSON text, or what makes other bytes anew for each copy, and throws where it cannot. */
export type RequestBody = string | (() => BodyInit);

/** A request that was sent, and what came of it. */
export interface SentRequest {
  /** The node that was asked last. */
  readonly node: string;
  /** Milliseconds from sending to the end of the answer. */
  readonly duration: number;
  /** What was sent. */
  readonly body: RequestBody | undefined;
  /** What was answered; "" where nothing was, and where the answer is a stream. */
  readonly text: string;
}

/** Counts what is done for a call. */
export interface CallMeter {
  /** A request has ended. */
  sent(request: SentRequest): void;
  /** The call waits for its place in a request. */
  waits(): void;
  /** It waits no longer. */
  goes(): void;
}

/** Counts for several calls that share a request; `undefined` where nobody counts. */
export function together(all: readonly (CallMeter | undefined)[]): CallMeter | undefined {
  const meters = all.filter((meter) => meter !== undefined);
  if (meters.length < 2) return meters[0];
  const each = (tell: (meter: CallMeter) => void) => {
    for (const meter of meters) tell(meter);
  };
  return {
    sent: (request) => each((meter) => meter.sent(request)),
    waits: () => each((meter) => meter.waits()),
    goes: () => each((meter) => meter.goes()),
  };
}
