/** What the emulator does otherwise than AWS, and what becomes of the journey that would need it. */
export interface Gap {
  readonly what: string;
  readonly onAws: string;
  readonly here: string;
}

/** The one list of them: printed by the test, and held to the table of docs/deploying.md. */
export const gaps: readonly Gap[] = [
  {
    what: 'S3 events without the version that landed',
    onAws: '`Object Created` names `version-id` of a versioned bucket',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: '`Ref` of a secret is its name',
    onAws: '`Ref` of `AWS::SecretsManager::Secret` is its ARN',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'Generated secrets have punctuation that was excluded',
    onAws: '`ExcludePunctuation` leaves letters and digits',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'A batch of messages needs an action of its own',
    onAws: '`sqs:SendMessage` allows `SendMessageBatch`',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'A restore to a point in time has the rows of now',
    onAws: 'a table that is restored has the rows of that time',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'CloudFormation imports no secrets',
    onAws: 'an import change set takes a secret by its ARN',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'No access log, no metrics of the API, no alarm that rings',
    onAws: 'the stage logs every request; alarms read metrics',
    here: 'asserted on the template (`test/infra`), not seen at work',
  },
  {
    what: 'No throttling by API Gateway, no account limits',
    onAws: '429 beyond `throttle`, 503 where concurrency is used up',
    here: 'asserted on the template, not seen at work',
  },
  {
    what: 'No keys of KMS in use',
    onAws: '`-c encryption=kms` needs every grant on the key',
    here: 'grants on the key are asserted action by action, not seen at work',
  },
  {
    what: 'A changed function is stopped where it stands',
    onAws: 'invocations under way end in the version they began in',
    here: 'harsher: the update journey waits until leases and sweeps have brought them back',
  },
  {
    what: 'Lifecycle rules do not run',
    onAws: 'captures that no function deleted would go within 2 to 4 days',
    here: 'asserted on the template, not seen at work',
  },
  {
    what: 'Memory and duration limits of functions are not those of Lambda',
    onAws: 'cold starts, memory and timeouts as configured',
    here: 'not measured; the engine’s size is asserted (250 MB)',
  },
];
