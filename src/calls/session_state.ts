/**
 * What a session has seen: its bookmark, taken apart. Commits are named as `nameOfCommit` in `logged_commits.ts` does it; ""
 * is none. What a session does with it is loaded late.
 */
export interface SessionState {
  /** The newest commit of a state that was read; before there was a read, its first commit that is not the last. */
  read: string;
  /** Its own newest commit that no read has found yet. */
  wrote: string;
  /**
   * It has written, or been shown, what no commit of its own stands for, so that only the leader is sure to have it: "u"
   * until it has read from there since, then "r" until a commit is there that was not at that time; "" for nothing of the kind.
   */
  open: string;
  /** How often that has happened: a read that was under way then knows nothing of it. */
  times: number;
  /** The bookmark came from outside, and no read has confirmed it. */
  given: boolean;
  /** A database that does not have what it has seen is an error; otherwise the session begins anew there. */
  readonly strict: boolean;
}

/** Of at most 50 characters: SQL knows no number without an end, and it would spoil the reads that share its request. */
const BOOKMARK = /^(?!.{51})(?:[\da-z]+\.[\da-z]+)?(?:-(?:[\da-z]+\.[\da-z]+)?(?:-[ur])?)?$/;

/**
 * Reads a bookmark.
 *
 * @throws {TypeError} If it is none, and `strict`.
 */
export function stateOf(bookmark: string, strict: boolean): SessionState {
  const known = BOOKMARK.test(bookmark);
  if (strict && !known) {
    throw new TypeError("Cannot use `bookmark` as it must be what a session said it is");
  }
  const [read = "", wrote = "", open = ""] = known ? bookmark.split("-") : [];
  return { read, wrote, open, times: 0, given: strict && bookmark !== "", strict };
}

/** The bookmark of a session. */
export function bookmarkOf({ read, wrote, open }: SessionState): string {
  return [read, wrote, open].join("-").replace(/-+$/, "");
}
