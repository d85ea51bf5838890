import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewBreakers, viewForOperator, viewOutcomes } from '../../shared/api/console.ts';
import { listedOf, viewPage } from '../../shared/api/verifications.ts';
import { http } from '../../shared/lambda/http.ts';
import { findOf } from '../../shared/lifecycle/find.ts';
import { listBreakers } from '../../shared/lifecycle/list-breakers.ts';
import { keptCaptures } from '../../shared/lifecycle/look.ts';
import { dynamoBreakers } from '../../shared/stores/breakers.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { limits } from '../../shared/stores/limits.ts';
import { dynamoOutcomes } from '../../shared/stores/outcomes.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(limits), now),
    captures: connectCaptures(settings),
    breakers: dynamoBreakers(client, settings.BREAKERS_TABLE, now),
    outcomes: dynamoOutcomes(client, settings.OUTCOMES_TABLE, now),
  };
}

const ok = <Body>(body: Body) => ({ status: 200 as const, body });
export const handler = http('read-console', connect, {
  'GET /console/verifications': async ({ caller, query }, { verifications }) =>
    ok(viewPage(await verifications.list(listedOf(caller.tenant.id, query)))),
  'GET /console/verifications/{source_id}': async ({ caller, path }, dependencies) => {
    const record = await findOf(caller, path.source_id, dependencies);
    return ok(viewForOperator(record, path.source_id, await keptCaptures(record, dependencies)));
  },
  'GET /console/breakers': async ({ caller }, dependencies) =>
    ok(viewBreakers(await listBreakers(caller.tenant.id, dependencies))),
  'GET /console/outcomes': async ({ caller, query }, { outcomes }) =>
    ok(viewOutcomes(await outcomes.newest(caller.tenant.id, query.after))),
});
