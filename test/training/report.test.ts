import { describe, expect, it } from 'vitest';
import type { Capture } from '../../engine/training/spoof/provenance.ts';
import { type Judged, reportOf, reportText } from '../../tools/train-spoof/report.ts';

const sources = ['a', 'b', 'c', 'd', 'e'];

/** @param wrong how many of them are decided wrongly, the first ones */
function judged(species: Capture['species'], count: number, wrong: number): Judged[] {
  const label = species === '' ? 'bona_fide' : 'attack';
  const [right, mistaken] = label === 'attack' ? (['failed', 'passed'] as const) : (['passed', 'failed'] as const);
  return Array.from({ length: count }, (_, index) => ({
    capture: { file: `${species}${index}.jpg`, label, species, source: sources[index % sources.length] ?? '' },
    outcome: index < wrong ? mistaken : right,
  }));
}
const sentBack = (captures: readonly Judged[]): Judged[] => captures.map((one) => ({ ...one, outcome: 'recapture' }));

const shipped = [...judged('', 150, 3), ...judged('replay', 60, 20), ...judged('photographed_portrait', 60, 30)];

describe('the report of a trained model', () => {
  it('says that it may replace the shipped model where it halves both species and fails few people', () => {
    const own = [...judged('', 150, 7), ...judged('replay', 60, 10), ...judged('photographed_portrait', 60, 15)];
    const report = reportOf(own, shipped);
    expect(report.missing).toEqual([]);
    expect(reportText(report).at(-1)).toContain('may take the shipped model’s place');
  });

  it.each([
    ['fails more than 5 % of bona fide captures', [8, 10, 15], 'BPCER is over 5 %'],
    ['lets more than half as many replays pass', [7, 11, 15], "APCER of replay is over half of the shipped model's"],
    ['lets more than half as many portraits pass', [7, 10, 16], 'APCER of photographed_portrait is over half'],
  ])('says that it may not where it %s', (_, [failed = 0, replays = 0, portraits = 0], why) => {
    const own = [
      ...judged('', 150, failed),
      ...judged('replay', 60, replays),
      ...judged('photographed_portrait', 60, portraits),
    ];
    expect(reportOf(own, shipped).missing).toEqual([expect.stringContaining(why)]);
  });

  it('counts decided captures alone: what the gate sends back proves nothing', () => {
    const own = [
      ...judged('', 149, 0),
      ...sentBack(judged('', 9, 0)),
      ...judged('replay', 59, 0),
      ...sentBack(judged('replay', 9, 0)),
    ];
    expect(reportOf(own, shipped).missing).toEqual([
      '149 bona fide captures of 5 sources were decided: 150 of 5 are the least',
      '59 attacks by replay were decided: 60 are the least',
      '0 attacks by photographed_portrait were decided: 60 are the least',
    ]);
  });

  it('tells no rate of fewer than thirty decided captures', () => {
    const own = [...judged('', 30, 1), ...judged('print', 29, 1)];
    const text = reportText(reportOf(own, own)).join('\n');
    expect(text).toMatch(/BPCER +own +3\.3 % {2}\(1 of 30/);
    expect(text).toMatch(/APCER print +own +not told: 29 decided, 30 are the least/);
    expect(text).toMatch(/ a: 1 of 6 bona fide captures failed/);
  });
});
