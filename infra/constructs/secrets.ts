import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** What nobody chose and nobody knows: made in the account, read only by the functions that need it. */
export class Secrets extends Construct {
  /** Signs client tokens. Lost or replaced, the tokens out there die, and nothing else. */
  readonly clientToken: Secret;
  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    this.#encryption = encryption;
    this.clientToken = new Secret(this, 'client-token', {
      description: 'Signs the client tokens of Bonafide',
      // 64 letters and digits are 380 bits.
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      ...(encryption.key && { encryptionKey: encryption.key }),
    });
    acknowledge(
      this.clientToken,
      'AwsSolutions-SMG4',
      'It signs tokens that live minutes, and nothing is stored under it. A schedule would cut off the people who are uploading at that minute; docs/security.md says how to replace it by hand.',
    );
  }

  /** Lets a function sign and check client tokens. */
  allowClientToken(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.clientToken.secretArn);
    this.#encryption.allowUse(serviceFunction);
  }
}
