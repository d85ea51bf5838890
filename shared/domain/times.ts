/** Every deadline, lease, delay and cache time of the product, once. Seconds unless the name says otherwise. */

export const minuteSeconds = 60;
export const daySeconds = 24 * 60 * minuteSeconds;

/** How long an upload URL lives, unless its round ends sooner. */
export const uploadSeconds = 15 * minuteSeconds;

/** How long a capture may stay stored after it landed, whatever the policy keeps; then the sweep deletes it. */
export const captureSeconds = daySeconds;

/** How long the digits of a challenge can be said: a video that says them is stored by then. */
export const challengeSeconds = 3 * minuteSeconds;

/** Failed verdicts of one subject count this long; as many as `failuresToLock` within it lock the subject. */
export const subjectLockSeconds = 30 * minuteSeconds;

/** How long a client may watch its verification with one client_token. */
export const clientTokenSeconds = daySeconds;

/** How long the code that hands a capture over to another device may be claimed. */
export const handOffSeconds = 10 * minuteSeconds;
/** How long an operator's sign-in to the console lasts. */
export const consoleSessionSeconds = 8 * 60 * minuteSeconds;
/** How long an invitation to the console can be spent. */
export const invitationSeconds = 15 * minuteSeconds;
/** How long a sign-in at an identity provider may take, from the console and back. */
export const signInSeconds = 10 * minuteSeconds;
/** How long the URL of a capture works that a reviewer looks at. */
export const lookSeconds = minuteSeconds;
/** How long it is known what was decided or errored. */
export const outcomesSeconds = 30 * daySeconds;
/** An outcome is seen in the list so long after the time it says that it was kept at: clocks differ, and a put is repeated. */
export const outcomesLateSeconds = minuteSeconds;

/** Added to a provider's timeout, this is the lease of a claim: time to record what the provider said. */
export const leaseMarginSeconds = 15;

/** Added to a lease, this is the timeout of the function that claims: no claim is alive in a function that is not. */
export const functionMarginSeconds = 15;

/** How long a provider may take to send its webhook, and how long the link to the capture lives that it was given. */
export const webhookSeconds = 15 * minuteSeconds;

/** How long an address that a stranger chose may take to be found and to take the connection. */
export const connectSeconds = 5;

/** A queued record is looked at again after this: the message that should have moved it may be lost. */
export const queuedSeconds = 2 * minuteSeconds;

/** The second call to a provider comes after a random part of this. */
export const backoffSeconds = 10;

/** A sweep begins nothing more once so much of its function's time is left: what is under way ends, or times out at its client. */
export const sweepReserveSeconds = 10;

/** The sweep finishes an erasure whose objects were not seen gone by then. */
export const erasureSeconds = minuteSeconds;

/** A provider's breaker stays open for this long, doubling with every opening up to the longest. */
export const shortestOpenSeconds = 15;
export const longestOpenSeconds = 5 * minuteSeconds;
/** How long a function believes what it read of a breaker. */
export const breakerCacheSeconds = 5;

/**
 * How long a function believes what it read of a tenant: a revoked key may still be taken this long, and a new tenant be
 * unknown where it was asked for before it was made.
 */
export const keyCacheSeconds = 20;

/** How long a function believes what it read of a secret. */
export const secretCacheSeconds = 5 * minuteSeconds;
/** What the remembered secret has not signed is looked at with freshly read ones, at most this often. */
export const replacedSecretSeconds = 20;

/** How long a cache may keep the deployment's public keys: for so long a receipt may name one that it does not have. */
export const publicKeysCacheSeconds = 5 * minuteSeconds;

/** A waiting caller's first look at the record comes after this; the next ones further and further apart. */
export const firstPauseMilliseconds = 150;
export const longestPauseMilliseconds = 1000;
/** The longest `?wait` a caller may ask for. A deployment may answer sooner. */
export const longestWaitSeconds = 20;
/** `Retry-After` of a read: what waits for a person's captures is asked for again after this, a vendor's webhook less often. */
export const untilCapturesSeconds = 1;
export const untilWebhookSeconds = 5;

/** How long a call of a vendor's API that is served here waits for its verdict: below what API Gateway waits for us. */
export const servedWaitSeconds = 25;
/** The captures of such a call are stored with its record, so only what was killed in between is late. */
export const servedCapturesSeconds = minuteSeconds;
/** A vendor's client waits for nothing else: the first look comes when the engine can have answered. */
export const servedFirstPauseMilliseconds = 40;

/** How long one fetch of an image by its link may take, and what passes before the next: three tries in all. */
export const fetchSeconds = 10;
export const fetchPausesSeconds = [1, 5] as const;
/** An order whose image is neither fetched nor given up by then: its message may be lost, so the sweep sends it again. */
export const orderedSeconds = 2 * minuteSeconds;
/** An order whose fetches were all interrupted ends after this. */
export const orderExpirySeconds = 15 * minuteSeconds;
/** How long a webhook may take to answer. */
export const postSeconds = 10;
/** A result that should have been posted by then: its message may be lost, so the sweep sends it again. */
export const postedSeconds = 2 * minuteSeconds;

/**
 * An event is seen in the list of its tenant's by so long after the time it says that it was kept at: a put that was tried
 * again, and the index.
 */
export const keptLateSeconds = minuteSeconds;

/** The first page of a replay is asked for a second time after this: the request that begins it may be killed in between. */
export const replayBegunSeconds = 30;

/** No delivery is tried by its schedule longer than this after it was begun: nine waits, none longer than a day. */
export const longestScheduleSeconds = 10 * daySeconds;
/** How long the events of a tenant are kept for it after it has read them last, where it has no endpoint. */
export const eventReaderSeconds = 30 * daySeconds;
/** How long a replaced secret of an endpoint signs beside the new one, unless its tenant says otherwise; and the longest. */
export const secretGraceSeconds = daySeconds;
export const longestSecretGraceSeconds = 7 * daySeconds;
/** How long an endpoint may take to answer, from the first step to the last byte. */
export const endpointAnswerSeconds = 15;
/** An answer that takes as long holds up the endpoint's other events: its breaker opens, as where none comes. */
export const slowAnswerSeconds = 10;
/** An event whose endpoint holds up calls waits as long again as it has waited, and no longer than this. */
export const longestPutOffSeconds = 60 * minuteSeconds;
/** A `Retry-After` puts the next try off by no more than this. */
export const longestRetryAfterSeconds = daySeconds;
/** SQS delays no message longer; what waits longer is found by the sweep. */
export const longestMessageDelaySeconds = 15 * minuteSeconds;
/** Added to a try that a delayed message brings: later than this the message may be lost, so the sweep sends it again. */
export const broughtSeconds = 2 * minuteSeconds;
/** An endpoint at which every try has failed for so long is disabled. */
export const failingSeconds = 5 * daySeconds;
/** How long events and deliveries are kept. */
export const keptSeconds = 30 * daySeconds;
/** SQS takes one of two messages with the same id that come within this. */
export const sameMessageSeconds = 5 * minuteSeconds;

/** Whole seconds since the epoch, as deadlines are stored. */
export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** The ISO 8601 time of a stored deadline. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
