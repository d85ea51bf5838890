import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { viewState } from '../../shared/api/verifications.ts';
import { http, type Request } from '../../shared/lambda/http.ts';
import { eraseEvery } from '../../shared/lifecycle/erase.ts';
import { findEvery, type Owner } from '../../shared/lifecycle/find.ts';
import { registry } from '../../shared/providers/registry.ts';
import { connectBySourceId } from '../../shared/stores/by-source-id.ts';
import { connectCaptures } from '../../shared/stores/captures.ts';
import { dynamoKeptEvents } from '../../shared/stores/kept-events.ts';
import { limits } from '../../shared/stores/limits.ts';
import { dynamoSightings } from '../../shared/stores/sightings.ts';
import { dynamoEndpoints } from '../../shared/stores/tenants/endpoints.ts';
import { environment } from './environment.ts';

function connect() {
  const settings = environment.parse(process.env);
  const now = () => new Date();
  const client = new DynamoDBClient(limits);
  return {
    ...connectBySourceId(settings, new SecretsManagerClient(limits), now),
    sightings: dynamoSightings(client, settings.SIGHTINGS_TABLE, now),
    endpoints: dynamoEndpoints({ client, table: settings.TENANTS_TABLE, now }),
    keptEvents: dynamoKeptEvents(client, settings.EVENTS_TABLE, now),
    captures: connectCaptures(settings),
    registry,
  };
}

type Asked = Pick<Request<'DELETE /verifications/{source_id}'>, 'path'> & { readonly caller: Owner };

async function erase({ caller, path }: Asked, dependencies: ReturnType<typeof connect>) {
  const tombstone = await eraseEvery(await findEvery(caller, path.source_id, dependencies), dependencies);
  return { status: 200 as const, body: viewState(tombstone, path.source_id) };
}

export const handler = http('erase-verification', connect, {
  'DELETE /verifications/{source_id}': erase,
  'DELETE /console/verifications/{source_id}': erase,
});
