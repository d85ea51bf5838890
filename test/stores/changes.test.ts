import { marshall } from '@aws-sdk/util-dynamodb';
import type { AttributeValue } from 'aws-lambda';
import { expect, it } from 'vitest';
import { brokenHistory } from '../../shared/domain/broken-history.ts';
import { changeOf } from '../../shared/stores/changes.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

it('reads a hash of the table’s stream, which is base64 there, as the store reads its bytes', () => {
  const record = anAwaitingVerification();
  const [line] = record.history;
  const bytes = Buffer.from(line?.hash ?? '', 'base64url');
  const image = marshall({ ...record, missing: new Set(record.missing), history: [] }) as Record<
    string,
    AttributeValue
  >;
  const { hash: _, ...rest } = line ?? {};
  const written = marshall(rest) as Record<string, AttributeValue>;
  image.history = { L: [{ M: { ...written, hash: { B: bytes.toString('base64') } } }] };
  const { after } = changeOf({ dynamodb: { SequenceNumber: '1', NewImage: image } });
  expect(after).toEqual(record);
  expect(after && brokenHistory(after)).toBeUndefined();
});
