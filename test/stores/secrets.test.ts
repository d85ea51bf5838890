import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSecretsManager } from '../../local/secrets-manager/secrets-manager.ts';
import { readReference, signReference } from '../../shared/domain/reference.ts';
import { readSigned, type SigningSecret } from '../../shared/domain/signing-secret.ts';
import { replacedSecretSeconds, secretCacheSeconds } from '../../shared/domain/times.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';

let manager: Awaited<ReturnType<typeof startSecretsManager>>;
let client: SecretsManagerClient;
let clock = Date.parse('2026-01-01T00:00:00Z');
let reads: (string | undefined)[] = [];

beforeAll(async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'bonafide-secrets-')), 'secrets.json');
  manager = await startSecretsManager(file, []);
  client = new SecretsManagerClient({
    endpoint: manager.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        if (commandName === 'GetSecretValueCommand') reads.push((args.input as { VersionStage?: string }).VersionStage);
        return next(args);
      },
    { step: 'initialize' },
  );
});
afterAll(() => manager.stop());

let secretCount = 0;
async function newSecret(value: string) {
  secretCount += 1;
  const name = `signs-${secretCount}`;
  await client.send(new CreateSecretCommand({ Name: name, SecretString: value }));
  reads = [];
  return {
    /** One function's view of the secret: its own cache. */
    open: () => signingSecret(name, client, () => new Date(clock)),
    replace: (by: string) => client.send(new PutSecretValueCommand({ SecretId: name, SecretString: by })),
  };
}
const passes = (seconds: number) => {
  clock += seconds * 1000;
};

const id = 'a'.repeat(26);
const sign = async (secret: SigningSecret) => signReference(await secret.current(), id, 1);
const isTaken = async (secret: SigningSecret, reference: string) =>
  (await readSigned(secret, (value) => readReference(value, reference))) !== undefined;

describe('a signing secret', () => {
  it('costs one read in five minutes where it signs and takes what it has signed', async () => {
    const { open } = await newSecret('one');
    const secret = open();
    for (let call = 0; call < 3; call += 1) expect(await isTaken(secret, await sign(secret))).toBe(true);
    expect(reads).toEqual(['AWSCURRENT']);
    passes(secretCacheSeconds);
    await sign(secret);
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT']);
  });

  it('takes what the value before has signed, signs with the new one, and forgets the first at the second replacement', async () => {
    const { open, replace } = await newSecret('one');
    const first = await sign(open());
    await replace('two');
    expect(await sign(open())).toBe(signReference('two', id, 1));
    expect(await isTaken(open(), first)).toBe(true);
    await replace('three');
    expect(await isTaken(open(), first)).toBe(false);
    expect(await isTaken(open(), signReference('two', id, 1))).toBe(true);
  });

  it('takes what was signed with a value that this function has not seen yet', async () => {
    const { open, replace } = await newSecret('one');
    const before = open();
    await before.current();
    await replace('two');
    expect(await isTaken(before, await sign(open()))).toBe(true);
    expect(await sign(before)).toBe(signReference('one', id, 1));
    expect(await isTaken(open(), await sign(before))).toBe(true);
  });

  it('is in every function’s hands five minutes after it was replaced', async () => {
    const { open, replace } = await newSecret('one');
    const secret = open();
    const first = await sign(secret);
    expect(await isTaken(secret, 'unsigned')).toBe(false); // now it has seen every value
    await replace('two');
    await replace('three');
    passes(secretCacheSeconds);
    expect(await isTaken(secret, first)).toBe(false);
    expect(await sign(secret)).toBe(signReference('three', id, 1));
  });

  it('is read twice in 20 s at the most for forged references, also where it was never replaced', async () => {
    const { open } = await newSecret('one');
    const secret = open();
    for (let call = 0; call < 5; call += 1) expect(await isTaken(secret, signReference('guess', id, 1))).toBe(false);
    expect(reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPREVIOUS']);
    passes(replacedSecretSeconds);
    await isTaken(secret, 'nonsense');
    expect(reads).toHaveLength(5);
  });
});
