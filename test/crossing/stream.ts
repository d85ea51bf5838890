import { marshall } from '@aws-sdk/util-dynamodb';

/** A record of a table's stream, of a row before and after one write. */
export function changeIn(before: Record<string, unknown>, after: Record<string, unknown>): object {
  return { dynamodb: { SequenceNumber: '1', OldImage: imageOf(before), NewImage: imageOf(after) } };
}

/** A row as the stream has it: bytes are base64. */
function imageOf(row: Record<string, unknown>): unknown {
  const text = JSON.stringify(marshall(row), (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value,
  );
  return JSON.parse(text);
}
