/** What each node has of a row, in the order of the nodes; `undefined` where it is missing. */
export type Versions = readonly (string | undefined)[];
