import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { verificationIdOf } from '../../shared/domain/verification-id.ts';
import { connectBySourceId, type SourceIdSettings } from '../../shared/stores/by-source-id.ts';
import { SecretEmpty } from '../../shared/stores/secrets.ts';
import { idKey } from '../builders/deployment.ts';
import { start } from '../builders/verification.ts';

const client = new SecretsManagerClient({ region: 'us-east-1' });
const secrets = mockClient(client);
let clock: number;
beforeEach(() => {
  clock = start.getTime();
  secrets.reset();
});

const settings: SourceIdSettings = {
  VERIFICATIONS_TABLE: 'verifications',
  TENANTS_TABLE: 'tenants',
  ID_KEY_SECRET: 'the-key-of-ids',
  LEGACY_IDS: 'true',
};
const idsOf = () => connectBySourceId(settings, client, () => new Date(clock)).ids;

describe('the key of ids', () => {
  it('is read once in five minutes', async () => {
    secrets.on(GetSecretValueCommand, { SecretId: 'the-key-of-ids' }).resolves({ SecretString: idKey });
    const ids = idsOf();
    expect(await ids.of('acme', 'u-42')).toBe(verificationIdOf(idKey, 'acme', 'u-42'));
    await ids.of('acme', 'u-43');
    expect(secrets.calls()).toHaveLength(1);
    clock += 300_000;
    await ids.of('acme', 'u-42');
    expect(secrets.calls()).toHaveLength(2);
  });

  it.each([{}, { SecretString: '' }])('without a text fails by a name that the log shows: %j', async (answer) => {
    secrets.on(GetSecretValueCommand).resolves(answer);
    await expect(idsOf().of('acme', 'u-42')).rejects.toThrow(SecretEmpty);
  });

  it('that is not there fails as Secrets Manager says it', async () => {
    secrets.on(GetSecretValueCommand).rejects(Object.assign(new Error('gone'), { name: 'ResourceNotFoundException' }));
    await expect(idsOf().of('acme', 'u-42')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
