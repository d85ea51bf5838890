import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** Secrets made in the account, so that no person knows them; read only by the functions that need them. */
export class Secrets extends Construct {
  /** Signs client tokens. Tokens live through one replacement and die with the second. */
  readonly clientToken: Secret;
  /** Signs the ids that vendors name attempts by. Webhooks under way live through one replacement. */
  readonly reference: Secret;
  /**
   * Makes the id of a record of a source_id. Lost or replaced, no record is found by its source_id any more: it is made
   * once, never rotated, and retained with the tables. CloudFormation makes another value when `generateSecretString`
   * changes, so that must never change.
   */
  readonly idKey: Secret;
  /** Hashes what captures are recognised by. Replaced, no capture judged before is recognised. */
  readonly fingerprintKey: Secret;
  /**
   * Seals the secrets that sign webhooks. Lost, no endpoint can be signed for any more: it is retained with the tables.
   * What the value before sealed is still opened, what the one before that sealed is not.
   */
  readonly endpointKey: Secret;
  /** The private key of erasure receipts derives from it. Replaced, its public key stays published. */
  readonly receipt: Secret;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    super(scope, id);
    const { retainData } = readSettings(this);
    const generated = (name: string, description: string, whyNotRotated: string): Secret => {
      const secret = new Secret(this, name, {
        description,
        // 64 letters and digits are 380 bits.
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
        ...(encryption.key && { encryptionKey: encryption.key }),
        // Kept with the tables, so that a stack that adopts them knows its tokens, webhooks and receipts.
        removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      });
      acknowledge(secret, 'AwsSolutions-SMG4', whyNotRotated);
      return secret;
    };
    const signs =
      'It signs what lives a day at the most, and nothing is stored under it. A rotation function would be one more to keep; docs/security.md says how to replace it with one command.';
    this.clientToken = generated('client-token', 'Signs the client tokens of Bonafide', signs);
    this.reference = generated('reference', 'Signs what vendors name attempts by in their webhooks', signs);
    this.fingerprintKey = generated(
      'fingerprint-key',
      'Hashes what captures are recognised by when they come again',
      'What was written under another value is not found any more, and ends with its records. It is replaced when it is known to strangers, by one command in docs/security.md.',
    );
    this.receipt = generated(
      'receipt',
      'Signs the receipts of erasures',
      'Receipts are signed anew whenever they are read, and every public key that has signed one stays published. It is replaced when it is known to strangers, by one command in docs/security.md.',
    );
    this.idKey = generated(
      'id-key',
      'Makes the ids of verifications. Never replace or delete it: docs/runbook.md, The key of ids',
      'Every record lies under an id made with it: under another value none is found by its source_id, none can be erased, and each would be made again. It is to be kept for as long as the tables are.',
    );
    this.endpointKey = generated(
      'endpoint-key',
      'Seals the signing secrets of webhook endpoints. Never delete it: docs/runbook.md, The key of endpoints',
      'What lies sealed under a value outlives one replacement, and not two: between them every endpoint must have got another secret, or the same again, which only its tenant or an operator can see done. It is to be kept for as long as the tables are.',
    );
  }

  /** Lets a function find the record of a source_id. Only what starts from one may: other ids are used as they come. */
  allowIdKey(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.idKey.secretArn);
  }

  /** Lets a function open what signs for endpoints, and seal it. */
  allowEndpointKey(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.endpointKey.secretArn);
  }

  /** Lets a function sign or check what vendors name attempts by. */
  allowReference(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.reference.secretArn);
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
    acknowledge(
      serviceFunction.role ?? serviceFunction,
      `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:${resourceName}]`,
      'Tenants come and go with secrets of their own; Secrets Manager adds six characters to every name. Only this provider’s are below this path.',
    );
  }

  /** Lets a function recognise captures that were judged before. */
  allowFingerprintKey(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.fingerprintKey.secretArn);
  }

  /** Lets a function sign and check client tokens. */
  allowClientToken(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.clientToken.secretArn);
  }

  /** Lets a function read a secret that the deployment did not make: it was named, by its ARN, in CDK context. */
  allowGiven(serviceFunction: AnyServiceFunction, arn: string): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], arn);
  }

  /** Lets a function sign receipts of erasures. */
  allowReceipt(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['secretsmanager:GetSecretValue'], this.receipt.secretArn);
  }
}
