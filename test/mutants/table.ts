/** A control taken away, and the tests that must then fail. */
export interface Mutant {
  /** The control, as a sentence about what holds while it is there. */
  readonly control: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  readonly tests: readonly string[];
  /** Part of the title of the tests meant: no others are run. */
  readonly named: string;
}

const http = 'shared/providers/http.ts';
const authenticate = 'shared/lambda/authenticate.ts';
const videoWorker = 'engine/video-worker.ts';
const row = 'shared/stores/tenants/row.ts';
const captures = 'shared/stores/captures.ts';
const verifications = 'shared/stores/verifications.ts';
const views = 'shared/api/verifications.ts';

const inConstantTime = { tests: ['test/domain/constant-time.test.ts'] };
const inWorkers = { tests: ['test/engine/workers.test.ts'] };
const atBegin = { tests: ['test/lifecycle/begin.test.ts'] };
const inStore = { tests: ['test/stores/verifications.test.ts'] };
const atWebhooks = { tests: ['test/lifecycle/receive.test.ts'] };
const byToken = { tests: ['test/lambda/authenticate.test.ts'] };
const overHttp = { tests: ['test/lambda/http.test.ts'] };
const inTheStack = { tests: ['test/infra/public-api.test.ts'] };

/** Of every control that a caller, a vendor, a capture or a second worker meets: one row each at the least. */
export const mutants: readonly Mutant[] = [
  // Webhooks of vendors
  {
    control: "a tenant's webhook address is for its own verifications",
    file: 'shared/lifecycle/receive.ts',
    find: 'return record.tenant === owner.tenant.id;',
    replace: 'return true;',
    ...atWebhooks,
    named: 'that is not authentic is refused',
  },
  {
    control: "the deployment's webhook address is for what was planned with its credentials",
    file: 'shared/lifecycle/receive.ts',
    find: '([name, secretName]) => name === provider && isDeploymentSecret(secretName, name),',
    replace: '() => true,',
    ...atWebhooks,
    named: 'decides none whose credentials are',
  },
  {
    control: 'a webhook speaks for an attempt of its own provider',
    file: 'shared/lifecycle/receive.ts',
    find: 'attemptOf(record, attempt)?.provider === provider',
    replace: 'attemptOf(record, attempt) !== undefined',
    ...atWebhooks,
    named: 'at the address of another provider',
  },
  {
    control: 'a webhook token is for one provider',
    file: 'shared/stores/tenants/webhooks.ts',
    find: 'provider === wanted && (expiresAt',
    replace: '(expiresAt',
    tests: ['test/stores/tenants/webhooks.test.ts'],
    named: 'at its provider alone',
  },
  {
    control: 'a webhook token that was replaced ends with its grace',
    file: 'shared/stores/tenants/webhooks.ts',
    find: '(expiresAt === undefined || expiresAt > now().getTime() / 1000);',
    replace: 'true || expiresAt === now().getTime();',
    tests: ['test/stores/tenants/webhooks.test.ts'],
    named: 'is taken for its grace',
  },

  // Keys and tokens
  {
    control: 'keys are compared by their whole hash',
    file: row,
    find: "timingSafeEqual(Buffer.from(stored, 'hex'), given)",
    replace: "timingSafeEqual(Buffer.from(stored, 'hex').subarray(0, 4), given.subarray(0, 4))",
    tests: ['test/stores/tenants/keys.test.ts'],
    named: 'hash only begins as theirs',
  },
  {
    control: 'keys are compared in constant time',
    file: row,
    find: "timingSafeEqual(Buffer.from(stored, 'hex'), given)",
    replace: "stored === given.toString('hex')",
    ...inConstantTime,
    named: 'keys and webhook tokens',
  },
  {
    control: 'as many keys are compared as a tenant can hold',
    file: row,
    find: 'for (let others = kept.length; others < maximumKeys; others += 1) isGiven(noHash);',
    replace: 'void noHash;',
    ...inConstantTime,
    named: 'keys and webhook tokens',
  },
  {
    control: 'client tokens are compared in constant time',
    file: 'shared/domain/client-token.ts',
    find: '!timingSafeEqual(Buffer.from(expected), Buffer.from(token))',
    replace: 'expected !== token',
    ...inConstantTime,
    named: 'client tokens',
  },
  {
    control: 'references are compared in constant time',
    file: 'shared/domain/reference.ts',
    find: "!timingSafeEqual(expected, Buffer.from(given, 'hex'))",
    replace: "expected.toString('hex') !== given",
    ...inConstantTime,
    named: 'references of attempts',
  },
  {
    control: 'a client token ends at its expiry',
    file: 'shared/domain/client-token.ts',
    find: 'return Number(expiry) * 1000 > now.getTime() ? verificationId : undefined;',
    replace: 'return now ? verificationId : undefined;',
    tests: ['test/domain/domain.test.ts'],
    named: 'names its verification until it expires',
  },
  {
    control: 'a client token is refused after the erasure',
    file: authenticate,
    find: "verification.state === 'erased' || ",
    replace: '',
    ...byToken,
    named: 'after the erasure of its verification',
  },
  {
    control: 'a client token is bound to the path of its verification',
    file: authenticate,
    find: ' || verification.sourceId !== sourceId',
    replace: '',
    ...byToken,
    named: 'at the address of another verification',
  },
  {
    control: 'a client token of a tenant without keys is refused',
    file: authenticate,
    find: ' && (await tenants.hasKey(verification.tenant))',
    replace: '',
    ...byToken,
    named: 'has no key any more',
  },
  {
    control: 'a client token sees no scores',
    file: views,
    find: "return by === 'key' ? viewVerification(record, sourceId) : viewForClient(record, sourceId);",
    replace: 'return by ? viewVerification(record, sourceId) : viewForClient(record, sourceId);',
    tests: ['test/api/verifications.test.ts'],
    named: 'is told that another capture is needed',
  },
  {
    control: 'a client token is not told why a verification failed',
    file: views,
    find: "const shown = outcome === 'recapture' ? reasons : [];",
    replace: 'const shown = reasons;',
    tests: ['test/api/verifications.test.ts'],
    named: 'is not told that a verification failed',
  },
  {
    control: 'a client token is told no reason but those of a recapture',
    file: views,
    find: 'shown.flatMap((one) => recaptureReason.safeParse(one).data ?? [])',
    replace: 'shown as never',
    tests: ['test/api/verifications.test.ts'],
    named: 'of an attack that a provider suspects',
  },

  // Requests
  {
    control: 'a caller is known before its request is validated',
    file: 'shared/lambda/http.ts',
    find: 'const caller = await authenticate(event, operation, dependencies);',
    replace: 'validated(event, operation, body); const caller = await authenticate(event, operation, dependencies);',
    ...overHttp,
    named: 'asks for the key before',
  },
  {
    control: 'the cap on a body counts bytes',
    file: 'shared/lambda/http.ts',
    find: 'if (bytes.length > maximum)',
    replace: 'if (body.length > maximum)',
    ...overHttp,
    named: 'refuses a body it cannot take',
  },
  {
    control: 'a bug is answered with nothing of its message',
    file: 'shared/lambda/http.ts',
    find: ": 'The failure was written down. Try again; if it lasts, tell the operator the time.',",
    replace: ': String(error),',
    ...overHttp,
    named: 'says of a bug nothing',
  },
  {
    control: 'a body is not nested deeper than 20 levels',
    file: 'shared/api/json.ts',
    find: 'if (depth >= maximumDepth)',
    replace: 'if (depth >= 1000 * maximumDepth)',
    tests: ['test/api/metadata.test.ts'],
    named: 'levels deep is refused',
  },
  {
    control: 'numbers that JavaScript cannot keep are refused',
    file: 'shared/api/json.ts',
    find: 'decimalOf(source) === decimalOf(String(value)) ? value : new InexactNumber(source)',
    replace: 'decimalOf(source) ? value : value',
    tests: ['test/api/metadata.test.ts'],
    named: 'that could not come back as it was sent',
  },
  {
    control: 'a caller waits no longer than the deployment lets it',
    file: 'shared/lifecycle/wait.ts',
    find: 'Math.min(seconds, maximumWaitSeconds)',
    replace: 'Math.max(seconds, maximumWaitSeconds)',
    tests: ['test/lifecycle/wait.test.ts'],
    named: 'than the deployment lets it',
  },

  // Uploads and captures
  {
    control: 'a presigned PUT cannot overwrite',
    file: captures,
    find: "IfNoneMatch: '*', //",
    replace: '//',
    ...atBegin,
    named: 'gives uploads, a token',
  },
  {
    control: 'a presigned PUT is for one content type',
    file: captures,
    find: "new Set(['host', 'content-type', 'content-length', 'if-none-match'])",
    replace: "new Set(['host', 'content-length', 'if-none-match'])",
    ...atBegin,
    named: 'gives uploads, a token',
  },
  {
    control: 'a presigned PUT has the length that was declared',
    file: captures,
    find: 'ContentLength: contentLength,',
    replace: '',
    ...atBegin,
    named: 'signs the length where it was declared',
  },
  {
    control: 'a presigned POST is limited in size',
    file: captures,
    find: ": ['content-length-range', 1, maximumBytes],",
    replace: ": ['content-length-range', 1, 5 * 1024 ** 3],",
    ...atBegin,
    named: 'gives uploads, a token',
  },
  {
    control: 'a presigned POST is for one content type',
    file: captures,
    find: "['eq', '$Content-Type', contentType],",
    replace: "['starts-with', '$Content-Type', ''],",
    ...atBegin,
    named: 'gives uploads, a token',
  },
  {
    control: 'what is read and deleted is the version that was noticed',
    file: captures,
    find: 'VersionId: versionId,\n  });',
    replace: 'VersionId: versionId && undefined,\n  });',
    tests: ['test/stores/captures.test.ts'],
    named: 'is one version',
  },
  {
    control: 'a vendor fetches the bytes as they are, whatever the uploader said of them',
    file: captures,
    find: '{ ...address(pinned), ...asUploaded }',
    replace: '{ ...address(pinned), ...(asUploaded && {}) }',
    tests: ['test/stores/captures.test.ts'],
    named: 'whatever the uploader said',
  },
  {
    control: 'nothing is read of an object that is too large',
    file: captures,
    find: 'if (object.Body && bytes <= maximumBytesOf[pinned.name])',
    replace: 'if (object.Body)',
    tests: ['test/stores/captures.test.ts'],
    named: 'is not read where it is too large',
  },
  {
    control: 'no provider is asked about a capture that is too large',
    file: 'shared/lifecycle/ask.ts',
    find: 'const unfit = tooLarge(claimed);',
    replace: 'const unfit: ReturnType<typeof tooLarge> = undefined;',
    tests: ['test/lifecycle/ask.test.ts'],
    named: 'larger than any may be',
  },

  // Vendors
  {
    control: 'a redirect of a vendor is not followed',
    file: http,
    find: "redirect: 'manual',",
    replace: "redirect: 'follow',",
    tests: ['test/providers/adapters.test.ts'],
    named: 'follow no redirect',
  },
  {
    control: 'an answer of a vendor is capped',
    file: http,
    find: 'if (bytes > maximumAnswerBytes)',
    replace: 'if (bytes > 1024 * maximumAnswerBytes)',
    tests: ['test/providers/http.test.ts'],
    named: 'no more of an answer than',
  },
  {
    control: "a fault carries no cause that quotes a vendor's words or our key",
    file: http,
    find: '(error)}.`);',
    replace: '(error)}.`, { cause: error });',
    tests: ['test/providers/http.test.ts'],
    named: 'tells nothing of an error of the network',
  },
  {
    control: 'a key goes to a vendor over https alone',
    file: http,
    find: "(protocol === 'https:' || (protocol === 'http:' && here))",
    replace: '(protocol || here)',
    tests: ['test/providers/adapters.test.ts'],
    named: 'are refused where they would send a key',
  },
  {
    control: 'a key is one header',
    file: http,
    find: '.regex(/^[\\x21-\\x7e]{1,512}$/);',
    replace: ';',
    tests: ['test/providers/adapters.test.ts'],
    named: 'are refused where they would send a key',
  },
  {
    control: 'a setting that is not known is refused',
    file: 'shared/providers/settings.ts',
    find: 'return z.strictObject(shape, {',
    replace: 'return z.object(shape, {',
    tests: ['test/providers/adapters.test.ts'],
    named: 'is refused with a mistake in it',
  },
  {
    control: 'a worker calls only with the whole of a call left of its lease',
    file: 'shared/lifecycle/ask.ts',
    find: 'if (claimed.dueAt - epochSeconds(now()) < provider.timeoutSeconds[claimed.check])',
    replace: 'if (claimed.dueAt - epochSeconds(now()) < -1e9)',
    tests: ['test/lifecycle/ask.test.ts'],
    named: 'where the worker stalled',
  },

  // Fences of the store
  {
    control: 'a move is of the record as it was read',
    file: verifications,
    find: "'#sequence = :readSequence AND",
    replace: "'(#sequence = :readSequence OR #sequence <> :readSequence) AND",
    ...inStore,
    named: 'at an earlier sequence',
  },
  {
    control: 'of two captures that land at once, one is the last',
    file: verifications,
    find: "'#missing = :readMissing'",
    replace: "'(#missing = :readMissing OR #missing <> :readMissing)'",
    ...inStore,
    named: 'takes two captures landing at the same time',
  },
  {
    control: 'a record that waits for its webhook is moved by no older read',
    file: verifications,
    find: "'#waitingFor = :readWaitingFor'",
    replace: "'(#waitingFor = :readWaitingFor OR #waitingFor <> :readWaitingFor)'",
    ...inStore,
    named: 'accepts without moving',
  },
  {
    control: 'a takeover does not undo an answer that was accepted',
    file: verifications,
    find: "to === 'dispatched' || to === 'queued'",
    replace: "to === 'queued'",
    ...inStore,
    named: 'accepts without moving',
  },
  {
    control: 'a retry or a failover does not undo an answer that was accepted',
    file: verifications,
    find: "|| to === 'queued' || to === 'errored'",
    replace: "|| to === 'errored'",
    ...inStore,
    named: 'accepts without moving',
  },
  {
    control: 'an error does not undo an answer that was accepted',
    file: verifications,
    find: "|| to === 'errored';",
    replace: ';',
    ...inStore,
    named: 'accepts without moving',
  },
  {
    control: 'a landing forgets no other capture',
    file: verifications,
    find: "to === 'awaiting_captures' || to === 'queued'",
    replace: "to === 'queued'",
    ...inStore,
    named: 'takes two captures landing at the same time',
  },
  {
    control: 'a move to the queue forgets no capture',
    file: verifications,
    find: "|| to === 'queued' || to === 'expired'",
    replace: "|| to === 'expired'",
    ...inStore,
    named: 'takes two captures landing at the same time',
  },
  {
    control: 'an expiry forgets no capture',
    file: verifications,
    find: "|| to === 'expired';",
    replace: ';',
    ...inStore,
    named: 'takes two captures landing at the same time',
  },
  {
    control: 'a tombstone takes no notes',
    file: verifications,
    find: "'attribute_exists(verificationId) AND #notes < :maximum AND #state <> :erased'",
    replace:
      "'attribute_exists(verificationId) AND (#notes < :maximum OR attribute_not_exists(#notes) OR #state = :erased)'",
    ...inStore,
    named: 'erases to a tombstone',
  },

  // Decoders of the engine
  {
    control: 'a video has no more streams than a phone records',
    file: videoWorker,
    find: ' || streams.length > limits.streams',
    replace: '',
    ...inWorkers,
    named: 'more streams than',
  },
  {
    control: 'FFmpeg has no network',
    file: videoWorker,
    find: "for (const name of ['fetch', 'WebSocket', 'XMLHttpRequest', 'EventSource'])",
    replace: "for (const name of ['fetch', 'XMLHttpRequest', 'EventSource'])",
    ...inWorkers,
    named: 'has no way to the network',
  },
  {
    control: 'FFmpeg opens files alone',
    file: videoWorker,
    find: "'-protocol_whitelist', 'file', ",
    replace: '',
    ...inWorkers,
    named: 'opens files only',
  },
  {
    control: 'FFmpeg uses the decoders of the streams alone',
    file: videoWorker,
    find: "'-codec_whitelist', codecs.filter(Boolean).join(','), ",
    replace: '',
    ...inWorkers,
    named: 'opens files only',
  },
  {
    control: 'wasm memory ends at its limit',
    file: videoWorker,
    find: "> memoryBytes) throw new RangeError('memory limit');",
    replace: "> memoryBytes * 4) throw new RangeError('memory limit');",
    ...inWorkers,
    named: 'lets wasm memory grow',
  },
  {
    control: 'what a decoder prints stays out of the logs',
    file: 'engine/confined.ts',
    find: 'stdout: true,',
    replace: 'stdout: false,',
    ...inWorkers,
    named: 'keeps what the decoder prints',
  },
  {
    control: 'what a decoder complains of stays out of the logs',
    file: 'engine/confined.ts',
    find: 'stderr: true,',
    replace: 'stderr: false,',
    ...inWorkers,
    named: 'keeps what the decoder prints',
  },
  {
    control: 'libvips has three loaders',
    file: 'engine/decode.ts',
    find: "sharp.block({ operation: ['VipsForeignLoad'] });",
    replace: '',
    tests: ['test/engine/hostile.test.ts'],
    named: 'whatever finds its way to them',
  },

  // The stack
  {
    control: "a page cannot send a tenant's key",
    file: 'infra/constructs/public-api.ts',
    find: "allowHeaders: ['authorization',",
    replace: "allowHeaders: ['x-api-key', 'authorization',",
    ...inTheStack,
    named: 'never a tenant’s key',
  },
  {
    control: 'the access log names the route, not the path',
    file: 'infra/constructs/public-api.ts',
    find: "route: '$context.routeKey',",
    replace: "route: '$context.routeKey', path: '$context.path',",
    ...inTheStack,
    named: 'name the route, never the path',
  },
  {
    control: 'captures are private',
    file: 'infra/constructs/captures-bucket.ts',
    find: 'blockPublicAccess: BlockPublicAccess.BLOCK_ALL,',
    replace: 'blockPublicAccess: new BlockPublicAccess({ blockPublicAcls: true }),',
    tests: ['test/infra/records-and-captures.test.ts'],
    named: 'in a bucket nobody can open',
  },
  {
    control: 'captures travel over TLS alone',
    file: 'infra/constructs/captures-bucket.ts',
    find: 'enforceSSL: true,\n      minimumTLSVersion: 1.2,',
    replace: '',
    tests: ['test/infra/records-and-captures.test.ts'],
    named: 'in a bucket nobody can open',
  },
  {
    control: 'every version of a capture is told apart',
    file: 'infra/constructs/captures-bucket.ts',
    find: 'versioned: true,',
    replace: 'versioned: false,',
    tests: ['test/infra/records-and-captures.test.ts'],
    named: 'in a bucket nobody can open',
  },
  {
    control: 'messages are encrypted and travel over TLS alone',
    file: 'infra/constructs/work-queue.ts',
    find: ': { enforceSSL: true, encryption: QueueEncryption.SQS_MANAGED }',
    replace: ': { enforceSSL: false, encryption: QueueEncryption.SQS_MANAGED }',
    tests: ['test/infra/queues-and-functions.test.ts'],
    named: 'refuse to be spoken to in the clear',
  },
  {
    control: 'a function may do what it needs and no more',
    file: 'infra/constructs/public-api.ts',
    find: "records.allowVerifications(read, 'GetItem');",
    replace: "records.allowVerifications(read, 'GetItem', 'PutItem');",
    tests: ['test/infra/grants.test.ts'],
    named: 'may do exactly this',
  },
];
