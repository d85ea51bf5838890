import { DeleteSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, describe } from 'vitest';
import { type Kept, vendorJourneys } from '../journeys/vendor-journeys.ts';

/** A deployment that is administered, and its secrets. */
export interface Administered extends Kept {
  readonly secretsManager: SecretsManagerClient;
}

/**
 * The journeys of vendors on a deployment, whose functions reach the simulator on this machine. Credentials stay in
 * Secrets Manager when a stack goes, as an operator has put them there, so they are deleted as one would delete them.
 */
export function vendorsOnDeployment(deployment: () => Administered): void {
  describe('deployed', () => {
    const secretNames = new Set<string>();
    vendorJourneys(() => ({
      ...deployment(),
      admin: async (...words) => {
        const printed = await deployment().admin(...words);
        const [, name] = /^Kept as (\S+);/m.exec(printed) ?? [];
        if (name) secretNames.add(name);
        return printed;
      },
    }));
    afterAll(async () => {
      for (const SecretId of secretNames) {
        const command = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
        await deployment().secretsManager.send(command);
      }
    });
  });
}
