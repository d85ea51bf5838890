import { Fault } from '../domain/fault.ts';
import type { ReceiptKeys } from '../domain/ports.ts';
import { type Receipt, signReceipt, statementOf } from '../domain/receipt.ts';
import type { Verification } from '../domain/verification.ts';

export interface Receipting {
  readonly receiptKeys: Pick<ReceiptKeys, 'secret'>;
}

/** The receipt of an erasure that is finished, signed as it is asked for. */
export async function issueReceipt(record: Verification, { receiptKeys }: Receipting): Promise<Receipt> {
  if (record.state !== 'erased') {
    throw new Fault('state_conflict', `Only an erased verification has a receipt; this one is ${record.state}.`);
  }
  if (record.dueAt !== undefined) {
    throw new Fault('erasure_unfinished', 'Something may still be stored. Ask again in a minute.');
  }
  return signReceipt(await receiptKeys.secret(), statementOf(record));
}
