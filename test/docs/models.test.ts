import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { manifest } from '../../engine/manifest.ts';
import shipped from '../../engine/models.json' with { type: 'json' };
import { type Figures, figuresFile, measuredWith, withFigures } from '../../tools/evaluate/figures.ts';
import { leastDecided } from '../../tools/evaluate/rates.ts';

const page = readFileSync('MODELS.md', 'utf8');
const figures: Figures = JSON.parse(readFileSync(figuresFile, 'utf8'));

describe('The figures of MODELS.md', () => {
  it('are those that npm run evaluate recorded', () => {
    expect(withFigures(page, figures)).toBe(page);
  });

  it('were measured with the weights and thresholds that ship', () => {
    expect(figures.measuredWith).toEqual(measuredWith(manifest.parse(shipped)));
  });

  it('are counts alone where fewer than thirty were decided', () => {
    const counted = [...page.matchAll(/\| [\d,]+ of ([\d,]+)(, [\d.]+ %)? \|/g)];
    expect(counted.length).toBeGreaterThan(20);
    for (const [row, of = '', rate] of counted)
      expect(rate !== undefined, row).toBe(Number(of.replaceAll(',', '')) >= leastDecided);
  });

  it('fill blocks that are all there, once, and known', () => {
    const [first = ''] = page.match(/<!-- figures: [\s\S]*?<!-- end of figures -->/) ?? [];
    expect(() => withFigures(page.replace(first, ''), figures)).toThrow(/lacks the blocks of figures: presentation/);
    expect(() => withFigures(page + first, figures)).toThrow(/twice/);
    expect(() => withFigures(page.replace('figures: robustness', 'figures: trust'), figures)).toThrow(/"trust"/);
  });
});
