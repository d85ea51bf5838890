import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { metrics } from '../../shared/domain/metric.ts';

/** Lines that a function of the stack `bonafide` writes for these measurements. */
function written(...measurements: readonly object[]): Record<string, unknown>[] {
  const script = `const { measure } = await import('./shared/lambda/metrics.ts');
    for (const one of ${JSON.stringify(measurements)}) measure(one);`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, POWERTOOLS_SERVICE_NAME: 'bonafide' },
  });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a metric', () => {
  it('is one line of embedded metric format, with its deployment and provider as dimensions', () => {
    const [faults, overdue, ...others] = written(
      { metric: 'ProviderFaults', value: 0, provider: 'builtin' },
      { metric: 'OldestOverdueSeconds', value: 75 },
    );
    expect(others).toEqual([]);
    const of = (name: string, unit: string, dimensions: string[]) => ({
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [{ Namespace: 'Bonafide', Dimensions: [dimensions], Metrics: [{ Name: name, Unit: unit }] }],
    });
    expect(faults).toEqual({
      _aws: of('ProviderFaults', 'Count', ['service', 'provider']),
      ...{ service: 'bonafide', provider: 'builtin', ProviderFaults: 0 },
    });
    expect(overdue).toEqual({
      _aws: of('OldestOverdueSeconds', 'Seconds', ['service']),
      ...{ service: 'bonafide', OldestOverdueSeconds: 75 },
    });
  });

  it('carries nothing of a person, a tenant or a verification', () => {
    expect(Object.values(metrics).every(({ by }) => by === undefined || by === 'provider')).toBe(true);
    const [line] = written({ metric: 'Decided', value: 1, provider_: 'x', tenant: 'acme', verification_id: 'id' });
    expect(Object.keys(line ?? {}).sort()).toEqual(['Decided', '_aws', 'service']);
  });
});
