import { describe, expect, it } from 'vitest';
import { aws } from './account.ts';
import type { Deployed } from './deployment.ts';
import { gaps } from './gaps.ts';

/** What asks the emulator, of gaps that are not put right: true while it does otherwise than AWS. */
const probes: Readonly<Record<string, (deployed: Deployed) => Promise<boolean>>> = {
  'No access log, no metrics of the API, of tables and of rules': async () => {
    const metrics = await aws<unknown[]>(
      'cloudwatch',
      'list-metrics',
      '--namespace',
      'AWS/ApiGateway',
      '--query',
      'Metrics',
    );
    const groups = await aws<string[]>('logs', 'describe-log-groups', '--query', 'logGroups[].logGroupName');
    const accessLog = groups.find((name) => name.includes('accesslogs'));
    if (accessLog === undefined) throw new Error('The stage has no access log');
    const lines = await aws<unknown[]>('logs', 'filter-log-events', '--log-group-name', accessLog, '--query', 'events');
    return metrics.length === 0 && lines.length === 0;
  },
  'No CodeDeploy': () => refuses('deploy', 'list-applications'),
  'No throttling by API Gateway': async ({ url }) => {
    const [apiId = ''] = new URL(url).hostname.split('.');
    const throttle = (rate: number, burst: number) =>
      aws(
        ...['apigatewayv2', 'update-stage', '--api-id', apiId, '--stage-name', '$default', '--default-route-settings'],
        `ThrottlingRateLimit=${rate},ThrottlingBurstLimit=${burst}`,
      );
    await throttle(1, 1);
    try {
      const answers = await Promise.all(Array.from({ length: 10 }, () => fetch(`${url}/.well-known/bonafide.json`)));
      return answers.every(({ status }) => status !== 429);
    } finally {
      await throttle(100, 200);
    }
  },
  'No keys of KMS in use': async () => {
    const key = await aws<string>('kms', 'create-key', '--query', 'KeyMetadata.KeyId');
    await aws('kms', 'disable-key', '--key-id', key);
    const made = [
      '--queue-name',
      'with-a-disabled-key',
      '--attributes',
      `KmsMasterKeyId=${key}`,
      '--query',
      'QueueUrl',
    ];
    const queue = await aws<string>('sqs', 'create-queue', ...made);
    try {
      return !(await refuses('sqs', 'send-message', '--queue-url', queue, '--message-body', 'text'));
    } finally {
      await aws('sqs', 'delete-queue', '--queue-url', queue);
    }
  },
};

/** Why a gap has no probe. */
const unprobed: Readonly<Record<string, string>> = {
  'A changed function is stopped where it stands': 'the update journey prints what it costs',
  'Lifecycle rules do not run': 'they take a day on AWS',
  'Memory and duration limits of functions are not those of Lambda': 'this machine is as fast as it is',
};

/** An emulator that has learnt something turns these red: then the gap's row, and what was built for it, can go. */
export function gapProbes(deployed: () => Deployed): void {
  describe('the emulator', () => {
    it('is known gap by gap: each is put right, which asserts that it is there, or is asked for, or says why not', () => {
      const notPutRight = gaps.filter(({ here }) => !here.includes('gaps.py')).map(({ what }) => what);
      expect([...Object.keys(probes), ...Object.keys(unprobed)].sort()).toEqual(notPutRight.sort());
    });

    it.each(Object.entries(probes))('does otherwise than AWS: %s', async (_, probe) => {
      expect(await probe(deployed())).toBe(true);
    });
  });
}

async function refuses(...command: readonly string[]): Promise<boolean> {
  return aws(...command).then(
    () => false,
    () => true,
  );
}
