import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { issueReceipt } from '../../shared/lifecycle/receipt.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { limits } from '../../shared/stores/limits.ts';
import { receiptKeys } from '../../shared/stores/receipt-keys.ts';
import { signingSecret } from '../../shared/stores/secrets.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const secrets = new SecretsManagerClient(limits);
  const secret = signingSecret(settings.RECEIPT_SECRET, secrets, now);
  return {
    ...connectBySourceId(settings, secrets, now),
    receiptKeys: receiptKeys(secret, new DynamoDBClient(limits), settings.TENANTS_TABLE),
  };
}

export const handler = http('read-receipt', connect, {
  'GET /verifications/{source_id}/receipt': async ({ caller, path }, dependencies) => {
    const verification = await findOf(caller, path.source_id, dependencies);
    return { status: 200, body: await issueReceipt(verification, dependencies) };
  },
  'GET /.well-known/bonafide.json': async (_, { receiptKeys }) => {
    return { status: 200, body: { receipt_keys: [...(await receiptKeys.published())] } };
  },
});
