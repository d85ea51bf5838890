import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Hold, hold } from '../../web/capture/one-tab.ts';

describe.each([
  ['Web Locks', () => {}],
  ['BroadcastChannel, where a browser has no locks', () => vi.stubGlobal('navigator', {})],
])('one tab captures: by %s', (_, prepare) => {
  const open: Hold[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) one.release();
    vi.unstubAllGlobals();
  });
  const tab = async (name: string, { steal = false, onLost = () => {} } = {}) => {
    prepare();
    const held = await hold({ name, steal, onLost });
    if (held) open.push(held);
    return held;
  };

  it('a second one is told that another holds it', async () => {
    expect(await tab('one')).toBeDefined();
    expect(await tab('one')).toBeUndefined();
    expect(await tab('another verification')).toBeDefined();
  });

  it('it is free again when the first one has gone', async () => {
    const first = await tab('two');
    first?.release();
    expect(await tab('two')).toBeDefined();
  });

  it('one that takes over has it, and the first one hears of it', async () => {
    const onLost = vi.fn();
    await tab('three', { onLost });
    expect(await tab('three', { steal: true })).toBeDefined();
    await expect.poll(() => onLost.mock.calls.length).toBe(1);
    expect(await tab('three')).toBeUndefined();
  });
});
