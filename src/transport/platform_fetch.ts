/** The engine's own `fetch`, as it is when it is called. */
export const platformFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
