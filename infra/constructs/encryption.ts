import { RemovalPolicy } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** What reading and writing under a key takes, for objects, items, messages and secrets alike. */
const keyUse = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
];

/** Who owns the keys for data at rest: AWS (no key here), or this account (one key, rotated every year). */
export class Encryption extends Construct {
  readonly key: Key | undefined;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const { encryption, retainData } = readSettings(this);
    if (encryption === 'kms') {
      this.key = new Key(this, 'key', {
        description: 'Captures, verifications, tenants, queues and secrets of Bonafide',
        enableKeyRotation: true,
        // Retained data is lost without its key.
        removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      });
    }
  }

  /** Lets a function use what is encrypted, where the key is ours to grant. */
  allowUse(serviceFunction: AnyServiceFunction): void {
    if (this.key) serviceFunction.allow(keyUse, this.key.keyArn);
  }
}
