/** A body that is not what rqlite sends: cut off, another server's, or of a wrong shape. */
export class MalformedAnswerError extends Error {
  override name = "MalformedAnswerError";

  /** @param message What is wrong with it; holds no values. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
