import { randomUUID } from 'node:crypto';
import { replayOf, viewDelivery } from '../../shared/api/deliveries.ts';
import { viewReplay } from '../../shared/api/endpoints.ts';
import { http } from '../../shared/lambda/http.ts';
import { beginReplay, cancelReplay } from '../../shared/lifecycle/replay.ts';
import { resendDelivery } from '../../shared/lifecycle/resend.ts';
import { connectSending } from '../../shared/stores/sending.ts';
import { environment } from './environment.ts';

function connect() {
  const now = () => new Date();
  return { ...connectSending(environment.parse(process.env), now), newId: randomUUID, now };
}

const of = (tenant: string, endpointId: string) => ({ tenant, endpointId });

export const handler = http('send-again', connect, {
  'POST /endpoints/{endpoint_id}/replay': async ({ caller, path, body }, dependencies) => {
    const begun = await beginReplay(of(caller.tenant.id, path.endpoint_id), replayOf(body), dependencies);
    return { status: 202, body: viewReplay(begun) };
  },
  'POST /endpoints/{endpoint_id}/replay/cancel': async ({ caller, path }, dependencies) => {
    return { status: 200, body: viewReplay(await cancelReplay(of(caller.tenant.id, path.endpoint_id), dependencies)) };
  },
  'POST /deliveries/{delivery_id}/resend': async ({ caller, path }, dependencies) => {
    return { status: 202, body: viewDelivery(await resendDelivery(caller.tenant.id, path.delivery_id, dependencies)) };
  },
});
