/** How the ways to do something are called in the results. */

/** A request for each statement, as a person would write it. */
export const FETCH = "fetch";
/** A request for each statement, as the client writes it. */
export const SAME_BODY = "fetch of the same body";
/** As the client writes it without ids. */
export const SAME_BODY_NO_IDS = "fetch of the same body, no ids";
/** One request with the statements of all callers. */
export const BY_HAND = "one request by hand";
/** As it comes. */
export const CLIENT = "this client";
/** Over `nodeFetch`. */
export const OVER_NODE = "this client, ./node";
/** With `exactlyOnce: false`. */
export const NO_IDS = "this client, no ids";
/** npm's. */
export const RQLITE_JS = "rqlite-js";

/** A read and a write with nothing that holds them together: right as long as nobody else is there. */
export const UNPROTECTED = "two requests, unprotected";
/** Again until nobody came between. */
export const COMPARE_AND_SET = "compare and set by hand";
export const LAZY = "lazy";
export const EAGER = "eager";

/** A write and a read by `fetch`, again and again. */
export const BARE_PAIRS = "writes and reads by fetch";
export const TRANSACTION = "a transaction";

/** 100 rows a statement, 10,000 a request. */
export const BEST_BY_HAND = "the best by hand";
export const INSERT_MANY = "insertMany()";
export const EXECUTE_MANY = "executeMany()";

export const PARSE = "JSON.parse()";
export const QUERY = "query()";

/** PyPI's. */
export const REDIS_PY = "redis-py";
export const REDIS_LOCK = "RedisLock";
