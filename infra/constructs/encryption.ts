import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import { grantedActions } from './granted-actions.ts';
import { ServiceFunction } from './service-function.ts';

/**
 * What a service asks of the key in the name of a function, by what the function may do there. DynamoDB opens the table's
 * key for reads and writes alike; S3 makes a data key for what it stores, SQS does and opens it again.
 */
const keyUses: readonly { readonly may: RegExp; readonly service: string; readonly needs: readonly string[] }[] = [
  { may: /^dynamodb:/, service: 'dynamodb', needs: ['kms:Decrypt'] },
  { may: /^s3:GetObject/, service: 's3', needs: ['kms:Decrypt'] },
  { may: /^s3:PutObject$/, service: 's3', needs: ['kms:GenerateDataKey'] },
  { may: /^secretsmanager:GetSecretValue$/, service: 'secretsmanager', needs: ['kms:Decrypt'] },
  { may: /^sqs:ReceiveMessage$/, service: 'sqs', needs: ['kms:Decrypt'] },
  { may: /^sqs:SendMessage$/, service: 'sqs', needs: ['kms:Decrypt', 'kms:GenerateDataKey'] },
];

/** Who owns the keys for data at rest: AWS (no key here), or this account (one key, rotated every year). */
export class Encryption extends Construct {
  readonly key: Key | undefined;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { encryption, retainData } = readSettings(this);
    if (encryption === 'kms') {
      this.key = new HouseKey(this, 'key', {
        description: 'Captures, verifications, tenants, queues and secrets of Bonafide',
        enableKeyRotation: true,
        // Retained data is lost without its key.
        removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      });
      this.#allowRules(this.key);
    }
  }

  /**
   * Lets every function of the stack use the key, through the services it may use and no other way. Called last: it reads
   * what functions were granted, so a new grant needs no second one on the key.
   */
  allowUse(): void {
    const { key } = this;
    if (!key) return;
    const functions = Stack.of(this)
      .node.findAll()
      .filter((construct) => construct instanceof ServiceFunction);
    for (const serviceFunction of functions) {
      const granted = grantedActions(serviceFunction.role ?? serviceFunction);
      const uses = keyUses.filter(({ may }) => granted.some((action) => may.test(action)));
      for (const service of new Set(uses.map((use) => use.service))) {
        const needs = uses.flatMap((use) => (use.service === service ? use.needs : []));
        serviceFunction.allow([...new Set(needs)], key.keyArn, {
          StringEquals: { 'kms:ViaService': `${service}.${Stack.of(this).region}.amazonaws.com` },
        });
      }
    }
  }

  /** Rules of this account put events into encrypted queues. Without the account, a stranger's rule could as well. */
  #allowRules(key: HouseKey): void {
    key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    );
  }
}

/** Use of it is granted in this file alone: CDK's own grants name more actions, and no service through which. */
class HouseKey extends Key {
  override grant(grantee: IGrantable): Grant {
    return Grant.drop(grantee, 'Encryption.allowUse() grants use of the key');
  }

  override grantDecrypt(grantee: IGrantable): Grant {
    return this.grant(grantee);
  }

  override grantEncrypt(grantee: IGrantable): Grant {
    return this.grant(grantee);
  }

  override grantEncryptDecrypt(grantee: IGrantable): Grant {
    return this.grant(grantee);
  }
}
