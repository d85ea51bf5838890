import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, CfnBucket, HttpMethods } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { readSettings } from '../settings.ts';
import { acknowledge } from './acknowledge.ts';
import type { Encryption } from './encryption.ts';
import type { AnyServiceFunction } from './service-function.ts';

/** Every capture's key begins with this. */
export const capturesPrefix = 'captures/';

/** An action on captures, as IAM names it. */
export type CaptureAction = 'PutObject' | 'GetObjectVersion' | 'DeleteObject' | 'DeleteObjectVersion';

/**
 * Where captures lie: private, versioned, over TLS only. The sweep deletes them a day after they landed at the latest; the
 * lifecycle is the net under it, and takes 2 to 4 days: S3 rounds to midnight, and counts again for replaced versions.
 */
export class CapturesBucket extends Bucket {
  /** What a function reads that deletes captures and writes down which. Without a key in KMS, S3 makes ETags of the bytes. */
  readonly erasing: { readonly CAPTURES_BUCKET: string; readonly KEEPS_ETAGS: 'true' | 'false' };
  readonly #resource: CfnBucket;

  constructor(scope: Construct, id: string, { encryption }: { readonly encryption: Encryption }) {
    const { retainData } = readSettings(scope);
    const aDay = Duration.days(1);
    super(scope, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // A verdict is about the one version that was noticed; versions make "which one" a fact.
      versioned: true,
      ...(encryption.key
        ? { encryption: BucketEncryption.KMS, encryptionKey: encryption.key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      lifecycleRules: [
        { id: 'captures-live-a-day', expiration: aDay, noncurrentVersionExpiration: aDay },
        { id: 'unfinished-uploads-live-a-day', abortIncompleteMultipartUploadAfter: aDay },
        { id: 'no-empty-delete-markers', expiredObjectDeleteMarker: true },
      ],
      removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.erasing = { CAPTURES_BUCKET: this.bucketName, KEEPS_ETAGS: encryption.key ? 'true' : 'false' };

    // Not `eventBridgeEnabled`: that would bring a Python function into every deployment to set this one property.
    const bucket = this.node.defaultChild;
    if (!(bucket instanceof CfnBucket)) throw new Error('A bucket is made of a bucket.');
    this.#resource = bucket;
    bucket.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };

    acknowledge(
      this,
      'AwsSolutions-S1',
      'Server access logs would keep the uploader’s address and the object key for longer than the capture itself may live. Every access is by a function whose own log names the verification, and CloudTrail data events can be switched on for an investigation.',
    );
  }

  /** Where presigned URLs lead. */
  get origin(): string {
    return `https://${this.bucketRegionalDomainName}`;
  }

  /** Lets pages upload captures: our own, of these origins, and those of `allowedOrigins`. */
  allowUploadsFrom(...ownOrigins: readonly string[]): void {
    const { allowedOrigins } = readSettings(this);
    this.addCorsRule({
      allowedOrigins: [...ownOrigins, ...allowedOrigins],
      allowedMethods: [HttpMethods.PUT, HttpMethods.POST],
      // Upload widgets add headers of their own; which of them count is fixed by the signature.
      allowedHeaders: ['*'],
      exposedHeaders: ['ETag', 'Location'],
      maxAge: 3600,
    });
  }

  /** Lets a function do these things to captures, and to nothing else in the bucket. */
  allowCaptures(serviceFunction: AnyServiceFunction, ...actions: readonly CaptureAction[]): void {
    serviceFunction.allow(
      actions.map((action) => `s3:${action}`),
      this.arnForObjects(`${capturesPrefix}*`),
    );
    acknowledge(
      serviceFunction.role ?? serviceFunction,
      `AwsSolutions-IAM5[Resource::<${Stack.of(this).getLogicalId(this.#resource)}.Arn>/${capturesPrefix}*]`,
      'A capture’s key begins with its verification’s id, and one function serves every verification: the captures, and nothing else in the bucket, are as narrow as a role can be.',
    );
  }

  /** Lets a function delete versions of captures. S3 says that takes both, always. */
  allowDeleting(serviceFunction: AnyServiceFunction): void {
    this.allowCaptures(serviceFunction, 'DeleteObject', 'DeleteObjectVersion');
  }

  /** Lets a function find every version of a verification's captures, to delete them, or to land what no event told of. */
  allowListing(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['s3:ListBucketVersions'], this.bucketArn, {
      StringLike: { 's3:prefix': `${capturesPrefix}*` },
    });
  }

  /**
   * Lets a function that may read captures tell a capture that is gone from one it may not have: without these, S3
   * answers 403 for both. They cannot be narrowed to the prefix, which a GET or HEAD does not state; keys name no person.
   */
  allowKnowingWhatIsGone(serviceFunction: AnyServiceFunction): void {
    serviceFunction.allow(['s3:ListBucket', 's3:ListBucketVersions'], this.bucketArn);
  }
}
