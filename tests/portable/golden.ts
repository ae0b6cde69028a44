/** `tests/support/golden.ts` where there are no files: the recordings are part of the bundle. */
import v10 from "../fixtures/v10.json" with { type: "json" };
import v8 from "../fixtures/v8.26.json" with { type: "json" };

const transcripts = { "v10": v10, "v8.26": v8 };

/** Gives a recording. */
export function readTranscript(name: keyof typeof transcripts): unknown {
  return transcripts[name];
}
