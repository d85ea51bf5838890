import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifest } from '../../../engine/manifest.ts';
import { portrait } from '../../../tools/samples.ts';
import { startVendorSimulator, type VendorSimulator } from '../../../tools/vendor-simulator/server.ts';
import { modelsDirectory } from '../../engine/engine.ts';
import { newSourceId, put } from '../client.ts';
import { type RunningStack, remove, startLocalStack } from '../local-stack.ts';
import { file, secretsOf, tenant } from '../vendor-journeys.ts';

let running: RunningStack;
let vendors: VendorSimulator;

/** A pack that the deployment accepts, as its files are those of its manifest, with a file in it that is no model. */
async function packWithoutSpoofModel(): Promise<string> {
  const directory = await modelsDirectory();
  const ofPack = join(directory, 'manifest.json');
  const pack = manifest.parse(JSON.parse(readFileSync(ofPack, 'utf8')));
  const nonsense = Buffer.from('no model');
  for (const model of pack.spoofing.models) {
    model.sha256 = createHash('sha256').update(nonsense).digest('hex');
    writeFileSync(join(directory, model.file), nonsense);
  }
  writeFileSync(ofPack, JSON.stringify(pack));
  return directory;
}

beforeAll(async () => {
  vendors = await startVendorSimulator();
  running = await startLocalStack(undefined, { context: { models: await packWithoutSpoofModel() } });
});
afterAll(async () => {
  await running.stop();
  await vendors.stop();
  remove(running.dataDirectory);
});

it('an engine whose models do not open fails each verification on its own: the route goes on, or ends as errored', async () => {
  const credentials = file('spoofsense.json', secretsOf(vendors).spoofsense);
  await running.admin('credentials', 'set', 'spoofsense', 'deployment', credentials);
  const routed = await tenant(running, 'routed', ['builtin', 'spoofsense']);
  const alone = await tenant(running, 'alone', ['builtin']);
  const sourceIds = [newSourceId(), newSourceId()];
  const last = newSourceId();
  const face = await portrait();
  for (const sourceId of sourceIds) expect((await put(await routed.request(sourceId), face)).status).toBe(200);
  expect((await put(await alone.request(last), face)).status).toBe(200);
  for (const sourceId of sourceIds) {
    const { verdict, attempts } = await routed.verdict(sourceId);
    expect(verdict).toMatchObject({ outcome: 'passed', provider: 'spoofsense' });
    expect(attempts.map(({ provider, result }) => [provider, result])).toEqual([
      ['builtin', 'provider_failed'],
      ['builtin', 'provider_failed'],
      ['spoofsense', 'decided'],
    ]);
  }
  await expect.poll(async () => (await alone.read(last)).state).toBe('errored');
  expect((await alone.read(last)).fault).toBe('provider_failed');
  expect(running.written()).toContain('"event":"init.failed"');
  expect(running.written()).not.toContain('Runtime.ExitError');
});
