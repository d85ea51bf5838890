import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** What nobody chose and nobody knows: made in the account, read only by the functions that need it. */
export class Secrets extends Construct {
  /** Signs client tokens. Tokens live through one replacement and die with the second. */
  readonly clientToken: Secret;
  /** Signs the ids that vendors name attempts by. Webhooks under way live through one replacement. */
  readonly reference: Secret;
  readonly #encryption: Encryption;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    this.#encryption = encryption;
    const generated = (name: string, description: string): Secret => {
      const secret = new Secret(this, name, {
        description,
        // 64 letters and digits are 380 bits.
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
        ...(encryption.key && { encryptionKey: encryption.key }),
      });
      acknowledge(
        secret,
        'AwsSolutions-SMG4',
        'It signs what lives a day at the most, and nothing is stored under it. A rotation function would be one more to keep; docs/security.md says how to replace it with one command.',
      );
      return secret;
    };
    this.clientToken = generated('client-token', 'Signs the client tokens of Bonafide');
    this.reference = generated('reference', 'Signs what vendors name attempts by in their webhooks');
  }

  /** Lets a function sign or check what vendors name attempts by. */
  allowReference(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.reference.secretArn);
    this.#encryption.allowUse(serviceFunction);
  }

  /** Lets a function read the credentials of one provider, whosever they are: `<stack>/providers/<provider>/…`. */
  allowCredentials(serviceFunction: AnyServiceFunction, provider: string): void {
    const stack = Stack.of(this);
    const resource = 'secret';
    const resourceName = `${stack.stackName}/providers/${provider}/*`;
    const arn = stack.formatArn({
      service: 'secretsmanager',
      resource,
      resourceName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    serviceFunction.allow(['secretsmanager:GetSecretValue'], arn);
    this.#encryption.allowUse(serviceFunction);
    acknowledge(
      serviceFunction.role ?? serviceFunction,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${resourceName}]`,
      'Tenants come and go with secrets of their own; Secrets Manager adds six characters to every name. Only this provider’s are below this path.',
    );
  }

  /** Lets a function sign and check client tokens. */
  allowClientToken(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.clientToken.secretArn);
    this.#encryption.allowUse(serviceFunction);
  }
}
