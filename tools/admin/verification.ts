import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { sourceId } from '../../shared/domain/verification.ts';
import { legacyVerificationIdOf, verificationIdOf } from '../../shared/domain/verification-id.ts';
import { type Commands, tenantNamed } from './command.ts';

export const verificationCommands: Commands = {
  'verification id': {
    words: 2,
    run: async ([id = '', source = ''], { connect }) => {
      const owner = tenantNamed(id);
      const asked = sourceId.safeParse(source);
      if (!asked.success) throw new Error(`A source_id ${asked.error.issues[0]?.message}`);
      const { secrets, idKeySecret: SecretId } = await connect();
      if (!SecretId) throw new Error('Give --id-key-secret: its ARN is the stack’s output IdKeySecret');
      const { SecretString = '' } = await secrets.send(new GetSecretValueCommand({ SecretId }));
      console.log(
        `${verificationIdOf(SecretString, owner, asked.data)}\n` +
          `${legacyVerificationIdOf(owner, asked.data)}  if a version from before ids had a key made it`,
      );
    },
  },
};
