import type { DynamoDb } from './dynamodb/dynamodb.ts';
import type { EventBridge } from './eventbridge/eventbridge.ts';
import type { Part } from './part.ts';
import type { S3 } from './s3/s3.ts';
import type { Credentials } from './s3/signature.ts';
import type { SecretsManager } from './secrets-manager/secrets-manager.ts';
import type { Sqs } from './sqs/sqs.ts';
import { region } from './template.ts';

/** Where the stand-ins for AWS listen. */
export type Endpoints = Record<'s3' | 'dynamodb' | 'sqs' | 'eventbridge' | 'secretsmanager', string>;

interface Needs {
  credentials: Credentials;
  s3: S3;
  dynamoDb: DynamoDb;
  sqs: Sqs;
  eventBridge: EventBridge;
  secrets: SecretsManager;
}

/** What an AWS SDK client or a command line needs in its environment to find and use all of this. */
export const environment: Part<Needs, { endpoints: Endpoints; environment: Record<string, string> }> = async (
  _,
  { credentials, ...given },
) => {
  const endpoints = {
    s3: given.s3.endpoint,
    dynamodb: given.dynamoDb.endpoint,
    sqs: given.sqs.endpoint,
    eventbridge: given.eventBridge.endpoint,
    secretsmanager: given.secrets.endpoint,
  };
  return {
    gives: {
      endpoints,
      environment: {
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_ENDPOINT_URL_S3: endpoints.s3,
        AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
        AWS_ENDPOINT_URL_SQS: endpoints.sqs,
        AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventbridge,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsmanager,
      },
    },
  };
};
