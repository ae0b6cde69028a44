/**
 * PEP 249's class for warnings. Nothing here throws one: what is cut off or doubtful is an error. It is there so that
 * code which names it keeps its meaning.
 */
export class Warning extends Error {
  /** "Warning". */
  override name = "Warning";
}
