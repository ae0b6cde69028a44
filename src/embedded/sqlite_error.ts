/** SQLite refused something; the message is SQLite's own. */
export class SqliteError extends Error {
  override readonly name = "SqliteError";
  /** SQLite's extended result code, 0 when the runtime does not tell. */
  readonly code: number;

  /** With SQLite's text and code. */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether somebody else has the lock. */
  get busy(): boolean {
    return (this.code & 0xff) === 5;
  }

  /** Whether somebody else has written since the transaction began to read. */
  get outdated(): boolean {
    return this.code === 517;
  }

  /** Whether the connection may not write. */
  get readOnly(): boolean {
    return (this.code & 0xff) === 8;
  }
}
