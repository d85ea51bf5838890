import type { KeyCaller } from '../../shared/lambda/authenticate.ts';
import { http } from '../../shared/lambda/http.ts';
import { serveCall } from '../../shared/lifecycle/serve.ts';
import { registry } from '../../shared/providers/registry.ts';
import { answerOf } from '../../shared/providers/served.ts';
import { minimumFacePx } from '../../shared/providers/spoofsense/answers.ts';
import { readCall } from '../../shared/providers/spoofsense/calls.ts';
import { refuse, speechOf } from '../../shared/providers/spoofsense/speech.ts';
import type { Endpoint } from '../../shared/providers/spoofsense/wire.ts';
import { connectServing } from '../../shared/stores/serving.ts';
import { environment } from './environment.ts';

const connect = () => ({ ...connectServing(environment.parse(process.env), () => new Date()), registry });

function serve(endpoint: Endpoint) {
  return async ({ caller, body }: { caller: KeyCaller; body: Uint8Array }, serving: ReturnType<typeof connect>) => {
    const { tenant } = caller;
    const captures = { selfie: readCall(body) };
    const sourceId = `spoofsense.${serving.newId()}`;
    const call = { vendor: 'spoofsense', check: 'spoof_detect', sourceId, minimumFacePx, captures } as const;
    const record = await serveCall(call, tenant, serving);
    return { ...answerOf(record, speechOf({ endpoint, ...tenant.policy.served.spoofsense })), sourceId };
  };
}

const acts = {
  'POST /antispoofing': serve('antispoofing'),
  'POST /prod/antispoofing': serve('antispoofing'),
  'POST /robust': serve('robust'),
  'POST /prod/robust': serve('robust'),
};
export const handler = http('serve-spoofsense', connect, acts, (error, caller) =>
  refuse(error, caller?.tenant.policy.served.spoofsense.edition),
);
