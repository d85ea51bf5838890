/*
 * How long a call of AWS may take: every client of the SDK is made with one of these (a test reads them all). Without, the
 * SDK waits for ever, and a dead connection eats the whole time of a function.
 */

/** A connection within 1 s, an answer within 3 s, and no 3 s of silence within it. The SDK tries three times. */
export const limits = {
  requestHandler: {
    connectionTimeout: 1000,
    requestTimeout: 3000,
    throwOnRequestTimeout: true, // without it, `requestTimeout` is a line in the log and nothing else
    socketTimeout: 3000,
  },
} as const;

/**
 * Of S3, where captures come and go: sending one and its answer within 10 s. A body may be silent for 15 s, because one
 * that is passed on to a vendor is read no faster than the vendor takes it.
 */
export const bodyLimits = {
  requestHandler: { ...limits.requestHandler, requestTimeout: 10_000, socketTimeout: 15_000 },
} as const;
