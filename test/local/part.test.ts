import { describe, expect, it } from 'vitest';
import { type Part, parts, type Setup } from '../../local/part.ts';
import { readTemplate } from '../../local/template.ts';
import { writeTemplate } from './fixtures/template-directory.ts';
import { temporaryDirectory } from './fixtures/temporary-directory.ts';

const setup = (): Setup => {
  const directory = temporaryDirectory();
  const template = readTemplate(writeTemplate(directory, {}));
  return { template, dataDirectory: directory, port: 0, verbose: false, targets: new Map() };
};

describe('parts', () => {
  const ended: string[] = [];
  const ends = (name: string) => ({
    drain: async () => void ended.push(`${name} drained`),
    stop: async () => void ended.push(`${name} stopped`),
  });
  const first: Part<unknown, { one: number }> = async () => ({ gives: { one: 1 }, ...ends('first') });
  const second: Part<{ one: number }, { two: number }> = async (_, { one }) => ({
    gives: { two: one + 1 },
    ...ends('second'),
  });
  const inOrder = ['first drained', 'second drained', 'second stopped', 'first stopped'];

  it('are given what the earlier ones gave, drained together, and stopped from the last to the first', async () => {
    ended.length = 0;
    const { given, stop } = await parts.with(first).with(second).start(setup());
    expect(given).toEqual({ one: 1, two: 2 });
    await Promise.all([stop(), stop()]);
    expect(ended).toEqual(inOrder);
  });

  it('are ended in the same order when a later one fails to start', async () => {
    ended.length = 0;
    const failing: Part<unknown, unknown> = async () => {
      throw new Error('its port is taken');
    };
    const starting = parts.with(first).with(second).with(failing).start(setup());
    await expect(starting).rejects.toThrow('its port is taken');
    expect(ended).toEqual(inOrder);
  });
});
