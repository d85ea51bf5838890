import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBRecord, AttributeValue as Image } from 'aws-lambda';
import { showVerification } from '../domain/verification.ts';
import type { Change } from '../lifecycle/announce.ts';
import { recordOf } from './verifications.ts';

/** A record of the table's stream as the change of a verification, to be told of: of a later version's words too. */
export function changeOf({ dynamodb }: DynamoDBRecord): Change {
  return {
    sequenceNumber: dynamodb?.SequenceNumber ?? '',
    before: imageOf(dynamodb?.OldImage),
    after: imageOf(dynamodb?.NewImage),
  };
}

/** The stream has base64 where the SDK has bytes: `recordOf` reads either. */
function imageOf(image: Record<string, Image> | undefined) {
  return image && recordOf(image as Record<string, AttributeValue>, showVerification);
}
