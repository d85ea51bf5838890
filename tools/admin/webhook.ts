import { registry } from '../../shared/providers/registry.ts';
import { type Commands, ownerNamed } from './command.ts';

export const webhookCommands: Commands = {
  'webhook rotate': {
    words: 2,
    run: async ([provider = '', owner = ''], { connect, graceSeconds }) => {
      const sending = [...registry.values()].filter(({ answersBy }) => answersBy === 'webhook');
      if (!sending.some(({ name }) => name === provider)) {
        const names = sending.map(({ name }) => name).join(', ');
        throw new Error(`${provider} sends no webhooks, so there is no address to make. Those that do: ${names}`);
      }
      const { tenants, apiUrl } = await connect();
      const { key } = await tenants.rotateWebhook(ownerNamed(owner), provider, graceSeconds);
      console.log(`${apiUrl}/webhooks/${provider}/${key}\nShown this once: only its hash is stored.`);
    },
  },
};
