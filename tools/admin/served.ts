import * as z from 'zod';
import { keyCacheSeconds } from '../../shared/domain/times.ts';
import { servedWebhookName, servedWebhookUrl } from '../../shared/stores/tenants/row.ts';
import { type Commands, tenantNamed } from './command.ts';
import { findTenant } from './tenant.ts';

const credits = z.coerce.number().int().min(1).max(1_000_000_000);

/** Credits and webhooks of tenants that call the API of Identify here. */
export const servedCommands: Commands = {
  'credits add': {
    words: 2,
    run: async ([id = '', number = ''], { connect }) => {
      const added = credits.safeParse(number);
      if (!added.success) throw new Error('Say how many credits to add: a whole number of at least 1');
      console.log(`${await (await connect()).tenants.addCredits(tenantNamed(id), added.data)} credits`);
    },
  },
  'credits show': {
    words: 1,
    run: async ([id = ''], { connect }) => {
      const { tenants } = await connect();
      await findTenant(tenants, id);
      console.log(`${await tenants.creditsLeft(id)} credits`);
    },
  },
  'served-webhook set': {
    words: 3,
    run: async ([id = '', name = '', url = ''], { connect }) => {
      const named = servedWebhookName.safeParse(name);
      if (!named.success) throw new Error(`A webhook's name ${named.error.issues[0]?.message}`);
      if (!servedWebhookUrl.safeParse(url).success) throw new Error('Give an http or https URL for the webhook');
      await (await connect()).tenants.setServedWebhook(tenantNamed(id), name, url);
      console.log(`Results for ${name} are posted there within ${keyCacheSeconds} s.`);
    },
  },
  'served-webhook list': {
    words: 1,
    run: async ([id = ''], { connect }) => {
      const { servedWebhooks } = await findTenant((await connect()).tenants, id);
      for (const [name, url] of Object.entries(servedWebhooks)) console.log(`${name}  ${url}`);
    },
  },
  'served-webhook remove': {
    words: 2,
    run: async ([id = '', name = ''], { connect }) => {
      const removed = await (await connect()).tenants.removeServedWebhook(tenantNamed(id), name);
      if (!removed) throw new Error(`Tenant ${id} has no webhook ${name}`);
      console.log(`Removed. Results that are still to be posted there are tried again, and given up within an hour.`);
    },
  },
};
