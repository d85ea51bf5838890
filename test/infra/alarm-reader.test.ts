import { describe, expect, it } from 'vitest';
import { alarmProperties, type Point, ReadAlarm } from './alarm-reader.ts';
import { evaluate, parseExpression, type Values } from './metric-math.ts';

describe('metric math', () => {
  const metrics: Record<string, Values> = {
    a: [1, undefined, 3],
    b: [2, 4, 0],
    none: [undefined, undefined, undefined],
  };
  const of = (text: string) =>
    evaluate(parseExpression(text), { length: 3, quota: 10, valuesOf: (id) => metrics[id] ?? [] });

  it.each<[string, Values]>([
    ['a + b * 2', [5, undefined, 3]],
    ['(a + b) * 2', [6, undefined, 6]],
    ['a - b - 1', [-2, undefined, 2]],
    ['a / b', [0.5, undefined, undefined]], // by zero there is no value
    ['IF(a >= 3, 100 * b, 7)', [7, undefined, 0]],
    ['IF(a > 0 AND b > 0, 1, 0)', [1, undefined, 0]],
    ['IF(a > 2 OR b > 1, 1, 0)', [1, undefined, 1]],
    ['FILL(a, 0)', [1, 0, 3]],
    ['FILL(none, 0)', [undefined, undefined, undefined]],
    ['SUM([a, b, none])', [3, 4, 3]],
    ['SUM([none])', [undefined, undefined, undefined]],
    ['100 * b / SERVICE_QUOTA(b)', [20, 40, 0]],
  ])('%s', (text, values) => {
    expect(of(text)).toEqual(values);
  });

  it.each(['RATE(a)', 'a ^ 2', 'a b', 'IF(a', 'SUM(a)', ''])('refuses what it does not know: %s', (text) => {
    expect(() => of(text)).toThrow();
  });
});

describe('an alarm', () => {
  const given = {
    AlarmDescription: 'x',
    Namespace: 'AWS/SQS',
    MetricName: 'Age',
    Period: 120,
    Statistic: 'Maximum',
    Threshold: 5,
    EvaluationPeriods: 2,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
  };
  const alarm = (overrides: object = {}) => new ReadAlarm('one', alarmProperties.parse({ ...given, ...overrides }));
  const series = (...values: readonly (number | undefined)[]) =>
    new Map([
      ['AWS/SQS Age', values.map((sum): Point => (sum === undefined ? undefined : { sum, samples: 2, maximum: sum }))],
    ]);
  const run = { minutes: 8 };

  it('is in alarm after the last of as many periods over the threshold as it wants', () => {
    expect(alarm().minutesInAlarm(series(0, 5, 5, 0, 0, 0, 0, 9), run)).toEqual([4]);
    expect(alarm().minutesInAlarm(series(4, 4, 4, 4, 4, 4, 4, 4), run)).toEqual([]);
  });

  it('wants fewer of them where it says so', () => {
    const two = { EvaluationPeriods: 3, DatapointsToAlarm: 2 };
    expect(alarm(two).minutesInAlarm(series(9, 9, 0, 0, 9, 9, 0, 0), run)).toEqual([6]);
    expect(alarm({ ...two, DatapointsToAlarm: 3 }).rings(series(9, 9, 0, 0, 9, 9, 0, 0), run)).toBe(false);
  });

  it.each<[string, number[]]>([
    ['Maximum', [4]],
    ['Sum', [4]],
    ['Average', []],
    ['SampleCount', []],
  ])('reads %s', (Statistic, minutes) => {
    expect(alarm({ Statistic }).minutesInAlarm(series(5, 3, 5, 2), { minutes: 4 })).toEqual(minutes);
  });

  it('takes what is missing as it says', () => {
    expect(alarm().rings(series(), run)).toBe(false);
    expect(alarm({ TreatMissingData: 'breaching' }).minutesInAlarm(series(0, 0, 0, 0, 0, 0), run)).toEqual([]);
    expect(alarm({ TreatMissingData: 'breaching' }).rings(series(0, 0), run)).toBe(true);
    const below = { ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' };
    expect(alarm(below).rings(series(9, 9, 9, 9, 9, 9, 9, 9), run)).toBe(false);
    expect(alarm(below).rings(series(9, 9), run)).toBe(true);
  });

  it('is refused where it has a property that would be overlooked', () => {
    expect(() => alarm({ ExtendedStatistic: 'p99' })).toThrow();
    expect(() => alarm({ Statistic: 'p99' })).toThrow();
    expect(() => alarm({ EvaluateLowSampleCountPercentile: 'ignore' })).toThrow();
  });
});
