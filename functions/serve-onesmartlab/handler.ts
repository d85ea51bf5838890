import { http } from '../../shared/lambda/http.ts';
import { readForm } from '../../shared/lambda/multipart.ts';
import { serveCall } from '../../shared/lifecycle/serve.ts';
import { formNames, type Path, readCall } from '../../shared/providers/onesmartlab/calls.ts';
import { refuse, speechOf } from '../../shared/providers/onesmartlab/speech.ts';
import { registry } from '../../shared/providers/registry.ts';
import { answerOf } from '../../shared/providers/served.ts';
import { connectServing } from '../../shared/stores/serving.ts';
import { environment } from './environment.ts';

const connect = () => ({ ...connectServing(environment.parse(process.env), () => new Date()), registry });

interface Received {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

function serve(path: Path) {
  return async ({ headers, body }: Received, serving: ReturnType<typeof connect>) => {
    const form = await readForm(headers['content-type'], body, formNames);
    const tenant = await serving.tenants.authenticate(form.fields.get('api_key'));
    const call = readCall(path, form);
    const sourceId = `onesmartlab.${serving.newId()}`;
    const record = await serveCall({ ...call, vendor: 'onesmartlab', sourceId }, tenant, serving);
    return { ...answerOf(record, speechOf(call.check)), sourceId };
  };
}

const acts = {
  'POST /v1.1/photoverify': serve('photoverify'),
  'POST /v1.1/videoverify': serve('videoverify'),
  'POST /v1.1/spoofdetect': serve('spoofdetect'),
};
export const handler = http('serve-onesmartlab', connect, acts, refuse);
