import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { viewLooks } from '../../shared/api/console.ts';
import { dynamoLooks } from '../../shared/stores/looks.ts';
import { idOf } from '../builders/deployment.ts';
import { startTables } from './table.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const aLook = (second: number, operatorId = 'o_0123456789ab') => ({
  verificationId: idOf('u-1'),
  at: `2026-01-01T00:00:0${second}.000Z`,
  operatorId,
  capture: 'selfie' as const,
  round: 1,
  purgeAt: 1_800_000_000,
});

it('looks are listed the newest first, each of them, by the operators’ names', async () => {
  const looks = dynamoLooks(tables.client, 'looks');
  for (const look of [aLook(1), aLook(2), aLook(2), aLook(3, 'o_ffffffffffff')]) await looks.write(look);
  await looks.write({ ...aLook(9), verificationId: idOf('u-2') });
  const listed = await looks.of(idOf('u-1'));
  expect(listed).toEqual([aLook(3, 'o_ffffffffffff'), aLook(2), aLook(2), aLook(1)]);
  const { looks: shown } = viewLooks(listed, [{ id: 'o_0123456789ab', name: 'Ada', role: 'reviewer' }]);
  expect(shown.map(({ operator }) => operator)).toEqual(['o_ffffffffffff', ...Array(3).fill('Ada (o_0123456789ab)')]);
});

it('a look holds ids and times, and whatever else it is given is not stored', async () => {
  const more = { ...aLook(4), sourceId: 'person-491701234567', name: 'Ada' };
  await dynamoLooks(tables.client, 'looks').write(more);
  const { Items = [] } = await tables.client.send(new ScanCommand({ TableName: 'looks' }));
  const names = new Set(Items.flatMap((item) => Object.keys(unmarshall(item))));
  expect([...names].sort()).toEqual(
    ['at', 'capture', 'operatorId', 'position', 'purgeAt', 'round', 'verificationId'].sort(),
  );
});
