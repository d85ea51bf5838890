import { readFile } from 'node:fs/promises';
import { checkReceipt, publishedKeys, type ReceiptStatement } from '../../shared/domain/receipt.ts';
import type { Commands } from './command.ts';
import { parseJson, readJson } from './files.ts';

/** Where a deployment tells its public keys. */
const publishedAt = '/.well-known/bonafide.json';

export const receiptCommands: Commands = {
  'receipt verify': {
    words: 1,
    run: async ([file = ''], { connect, keys }) => {
      const bytes = await readFile(file).catch(() => {
        throw new Error(`${file} is not there: give a file with what GET /verifications/{source_id}/receipt answered`);
      });
      const from = keys ?? `${(await connect()).apiUrl}${publishedAt}`;
      const published = publishedKeys.safeParse(await readKeys(from));
      if (!published.success) throw new Error(`${from} has no keys as ${publishedAt} tells them`);
      const check = checkReceipt(bytes, published.data.receipt_keys);
      if (check.kind === 'invalid') throw new Error(`invalid: ${check.why}`);
      console.log(`valid: ${said(check.statement)}`);
    },
  },
};

async function readKeys(from: string): Promise<unknown> {
  if (!/^https?:/.test(from)) return readJson(from, `save ${publishedAt} of the deployment there`);
  const answer = await fetch(from).catch(() => undefined);
  if (!answer?.ok) throw new Error(`${from} answers ${answer?.status ?? 'nothing'}: give --keys`);
  return parseJson(await answer.text(), from);
}

/** What a receipt says, in a line for each thing. */
function said(statement: ReceiptStatement): string {
  const { verification_id, tenant, erased_at, finished_at, versions, versions_not_listed } = statement;
  const { vendors, not_known } = statement;
  const listed = versions.map(({ key, version_id, deleted, at }) => {
    return `  ${deleted.replace('_', ' ')}  ${at ?? ''}  ${key} ${version_id}`;
  });
  return [
    `verification ${verification_id} of ${tenant} was erased at ${erased_at}`,
    `nothing was stored any more at ${finished_at ?? 'a time that is not known'}`,
    `${versions.length + versions_not_listed} object versions were deleted${versions.length > 0 ? ':' : ''}`,
    ...listed,
    ...(versions_not_listed > 0 ? [`  ${versions_not_listed} more`] : []),
    `vendors that were sent captures, or may have been: ${vendors === null ? 'not known' : vendors.join(', ') || 'none'}`,
    ...(not_known.length > 0 ? [`not known, an earlier version did not keep it: ${not_known.join(', ')}`] : []),
  ].join('\n');
}
