import { registry } from '../../shared/providers/registry.ts';
import { type Commands, ownerNamed } from './command.ts';

export const webhookCommands: Commands = {
  'webhook rotate': {
    words: 2,
    run: async ([provider = '', owner = ''], { connect, graceSeconds }) => {
      const { tenants, apiUrl } = await connect();
      if (!registry.get(provider)?.remote) throw new Error(`${provider} sends no webhooks`);
      const { key } = await tenants.rotateWebhook(ownerNamed(owner), provider, graceSeconds);
      console.log(`${apiUrl}/webhooks/${provider}/${key}\nShown this once: only its hash is stored.`);
    },
  },
};
