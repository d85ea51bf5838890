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
    what: 'Roles of a template have no permissions boundary',
    onAws: 'a role can do what its policies and its boundary allow, both',
    here: 'put right in `tools/release/emulator/gaps.py`; the journey of production runs (nightly)',
  },
  {
    what: 'CORS of an HTTP API is not read from a template',
    onAws: '`CorsConfiguration` answers preflights and adds headers',
    here: 'put right in `tools/release/emulator/gaps.py`; every journey runs',
  },
  {
    what: 'No access log, no metrics of the API, of tables and of rules',
    onAws: 'the stage logs every request; each service writes its metrics',
    here: 'asserted on the template (`test/infra`), not seen at work',
  },
  {
    what: 'Alarms of metric math are refused',
    onAws: 'rates are alarms of metric math',
    here: 'made, and never ring (`tools/release/emulator/gaps.py`); `test/infra` reads them as CloudWatch does',
  },
  {
    what: 'Alarms read a metric of all dimensions and do not end; SQS and log lines write none',
    onAws:
      'of its own dimensions, until nothing breaches; a queue says what waits, a line of embedded metric format is a metric',
    here: 'put right in `tools/release/emulator/gaps.py`; alarms of one metric ring',
  },
  {
    what: '429 where a function has no execution left',
    onAws: 'an HTTP API answers 503',
    here: 'put right in `tools/release/emulator/gaps.py`; the journey of the new account runs',
  },
  {
    what: 'Messages that find no execution left wait for their visibility to end',
    onAws: 'Lambda keeps them and tries again until then',
    here: 'put right in `tools/release/emulator/gaps.py`; the journey of the new account runs',
  },
  {
    what: 'The weights of an alias are kept, and not drawn by',
    onAws: 'each version gets its share of invocations',
    here: 'put right in `tools/release/emulator/gaps.py`; the canary journey runs (nightly)',
  },
  {
    what: 'No CodeDeploy',
    onAws: '`-c rollout=canary` moves aliases and takes them back',
    here: 'asserted on the template; the canary journey moves the weights itself',
  },
  {
    what: 'No throttling by API Gateway',
    onAws: '429 beyond `throttle`',
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
