import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { chosen, synthesize } from './stack.ts';

const template = synthesize();

describe('records', () => {
  it('remembers verifications, tells of every change, and forgets them when their time has come', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'verificationId', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
    });
  });

  it('lists by state without history, scores or metadata, and finds what is due by key alone', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by_state',
          KeySchema: [
            { AttributeName: 'tenantState', KeyType: 'HASH' },
            { AttributeName: 'createdAt', KeyType: 'RANGE' },
          ],
          Projection: {
            ProjectionType: 'INCLUDE',
            NonKeyAttributes: ['sourceId', 'check', 'state', 'round', 'sequence', 'verdict', 'updatedAt'],
          },
        },
        {
          IndexName: 'by_due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
        {
          IndexName: 'by_failed_subject',
          KeySchema: [
            { AttributeName: 'failedSubject', KeyType: 'HASH' },
            { AttributeName: 'updatedAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
      AttributeDefinitions: Match.arrayWith([{ AttributeName: 'dueAt', AttributeType: 'N' }]),
    });
  });

  it('forgets which captures were judged when their records are forgotten', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'place', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
    });
  });

  it('forgets events and what became of them after their time, and pays two indexes for what was not delivered alone', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
      GlobalSecondaryIndexes: [{ IndexName: 'by_tenant', Projection: { NonKeyAttributes: ['type'] } }],
    });
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [
        { AttributeName: 'about', KeyType: 'HASH' },
        { AttributeName: 'position', KeyType: 'RANGE' },
      ],
      TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
      GlobalSecondaryIndexes: [
        { IndexName: 'by_endpoint', Projection: { NonKeyAttributes: ['state', 'tookAt'] } },
        {
          IndexName: 'by_state',
          KeySchema: [
            { AttributeName: 'tenantState', KeyType: 'HASH' },
            { AttributeName: 'newest', KeyType: 'RANGE' },
          ],
        },
        {
          IndexName: 'by_due',
          KeySchema: [
            { AttributeName: 'dueShard', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
        },
      ],
    });
  });

  it('forgets who looked at a capture, and what was decided, when their time has come', () => {
    for (const partition of ['verificationId', 'tenant']) {
      template.hasResourceProperties('AWS::DynamoDB::Table', {
        KeySchema: [
          { AttributeName: partition, KeyType: 'HASH' },
          { AttributeName: 'position', KeyType: 'RANGE' },
        ],
        TimeToLiveSpecification: { AttributeName: 'purgeAt', Enabled: true },
      });
    }
  });

  it('can be restored to any second, and survives the stack', () => {
    template.allResourcesProperties('AWS::DynamoDB::Table', {
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
    const tables = Object.entries(template.findResources('AWS::DynamoDB::Table'));
    const isRebuilt = ([name]: [string, unknown]) => /^records(breakers|sightings|outcomes)/.test(name);
    const kept = Object.fromEntries(tables.filter((table) => !isRebuilt(table)));
    const rebuilt = tables.filter(isRebuilt).map(([, table]) => table);
    expect(Object.keys(kept)).toHaveLength(5);
    for (const table of Object.values(kept)) {
      expect(table).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
      expect(table.Properties.DeletionProtectionEnabled).toBe(true);
    }
    // The next faults, captures and decisions write them anew.
    expect(rebuilt).toMatchObject(Array(3).fill({ DeletionPolicy: 'Delete' }));
    template.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    // A stack that adopts the tables knows the tokens, references and receipts of before by them.
    template.allResources('AWS::SecretsManager::Secret', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('goes with the stack where that was asked for', () => {
    const passing = synthesize({ retainData: 'false' });
    passing.allResources('AWS::DynamoDB::Table', { DeletionPolicy: 'Delete' });
    passing.allResourcesProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: false });
    passing.allResources('AWS::S3::Bucket', { DeletionPolicy: 'Delete' });
  });

  it('keeps its names when code around it moves: a renamed table is an empty table', () => {
    const stateful = [
      'AWS::DynamoDB::Table',
      'AWS::S3::Bucket',
      'AWS::SecretsManager::Secret',
      'AWS::Events::EventBus',
    ];
    expect(stateful.flatMap((type) => Object.keys(template.findResources(type)))).toEqual([
      'recordsverifications8A2E5B4B',
      'recordstenants53046CD9',
      'recordsbreakers3A1F9E10',
      'recordssightings2AA72BB5',
      'recordseventsFE041A07',
      'recordsdeliveries8A2969D9',
      'recordslooks3D704B3C',
      'recordsoutcomes87BC54FD',
      'capturesD7F0EED8',
      'secretsclienttoken6FB92AFA',
      'secretsreference5DB71761',
      'secretsfingerprintkey0299C6F7',
      'secretsreceiptBE4CF626',
      'secretsidkeyE93D3D56',
      'secretsendpointkey751E9F77',
      'resultdeliverybus0C9EE6FC',
    ]);
  });
});

describe.each([
  ['the key of ids', 'secretsidkey'],
  ['the key of endpoints', 'secretsendpointkey'],
])('%s', (_, name) => {
  const keyOf = (of = template) =>
    Object.entries(of.findResources('AWS::SecretsManager::Secret')).find(([id]) => id.startsWith(name))?.[1];

  it('stays as long as the tables do: what was made under it is of no use under another', () => {
    expect(keyOf()).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    expect(keyOf(synthesize({ retainData: 'false' }))).toMatchObject({ DeletionPolicy: 'Delete' });
  });

  it('is made once: another value here, or a name, and CloudFormation makes it anew', () => {
    for (const context of [{}, { encryption: 'kms' }, { retainData: 'false' }, chosen]) {
      const { GenerateSecretString, Name, SecretString } = keyOf(synthesize(context))?.Properties ?? {};
      expect(GenerateSecretString).toEqual({ ExcludePunctuation: true, PasswordLength: 64 });
      expect([Name, SecretString]).toEqual([undefined, undefined]);
    }
  });

  it('is never rotated', () => {
    template.resourceCountIs('AWS::SecretsManager::RotationSchedule', 0);
  });
});

describe('captures', () => {
  it('lie in a bucket closed to the public, over TLS only, encrypted, every version told apart', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: Match.objectLike({
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        ]),
      }),
    });
  });

  it('are gone in a day whatever else fails', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({
            ExpirationInDays: 1,
            NoncurrentVersionExpiration: { NoncurrentDays: 1 },
            Status: 'Enabled',
          }),
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' }),
          Match.objectLike({ ExpiredObjectDeleteMarker: true, Status: 'Enabled' }),
        ],
      },
    });
  });

  it('are told of without a function that does nothing else', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
    template.resourcePropertiesCountIs('AWS::Lambda::Function', { Runtime: Match.stringLikeRegexp('python') }, 0);
    expect(Object.keys(template.findResources('Custom::S3BucketNotifications'))).toEqual([]);
  });

  it('may be uploaded from the web only by our own pages, and by origins that were named', () => {
    const api = Object.keys(template.findResources('AWS::ApiGatewayV2::Api'))[0];
    const ownOrigin = { 'Fn::GetAtt': [api, 'ApiEndpoint'] };
    template.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [Match.objectLike({ AllowedOrigins: [ownOrigin], AllowedMethods: ['PUT', 'POST'] })],
      },
    });
    template.hasResourceProperties('AWS::ApiGatewayV2::Api', { CorsConfiguration: Match.absent() });
    const open = synthesize(chosen);
    open.hasResourceProperties('AWS::S3::Bucket', {
      CorsConfiguration: {
        CorsRules: [
          Match.objectLike({
            AllowedOrigins: [ownOrigin, 'https://verify.example', 'https://a.example', 'https://b.example'],
            AllowedMethods: ['PUT', 'POST'],
            AllowedHeaders: ['*'],
            ExposedHeaders: ['ETag', 'Location'],
          }),
        ],
      },
    });
    open.hasResourceProperties('AWS::ApiGatewayV2::Api', {
      CorsConfiguration: Match.objectLike({ AllowOrigins: ['https://a.example', 'https://b.example'] }),
    });
  });
});

describe('a key of this account', () => {
  it('encrypts everything that rests, where that was asked for', () => {
    const owned = synthesize({ encryption: 'kms' });
    owned.allResourcesProperties('AWS::DynamoDB::Table', { SSESpecification: Match.objectLike({ SSEType: 'KMS' }) });
    owned.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: Match.anyValue() });
    owned.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: Match.anyValue() });
    owned.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
    template.resourceCountIs('AWS::KMS::Key', 0);
  });
});
