import { setTimeout as sleep } from 'node:timers/promises';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { eventId } from '../../shared/domain/event.ts';
import { portrait } from '../../tools/samples.ts';
import { clientOf, newSourceId, put } from '../journeys/client.ts';
import type { Inside } from '../journeys/inside.ts';
import { aws, messagesIn } from './account.ts';
import { captureRule, landingOf, queueIn } from './landing.ts';
import { blocksUnder, type Terminal } from './page.ts';

const page = 'docs/runbook.md';

/** A deployment with a terminal in the checkout that it was deployed from. */
export interface Operated {
  readonly inside: Inside & { readonly outputs: Readonly<Record<string, string>> };
  readonly terminal: Terminal;
  readonly checkout: string;
}

/** The steps of the runbook, run from the page: each sets something right that was broken before it. */
export function runbookSteps(operated: () => Operated): void {
  const step = (heading: `### ${string}`, number = 0): Promise<string> => {
    const { terminal, checkout } = operated();
    return terminal.run(checkout, blocksUnder(heading, page)[number] ?? '');
  };
  const know = (variables: string) => operated().terminal.run(operated().checkout, `export ${variables}`);
  const admin = (words: string) =>
    operated().terminal.run(operated().checkout, `npm run --silent admin -- ${words} --aws`);

  describe('the runbook', () => {
    it('moves a capture back that was not noticed: it is decided once, however often it is moved', async () => {
      const { inside } = operated();
      const client = clientOf(inside);
      const sourceId = newSourceId();
      const rule = await captureRule();
      await aws('events', 'disable-rule', '--name', rule);
      const uploads = await client.request(sourceId);
      await put(uploads, await portrait()).finally(() => aws('events', 'enable-rule', '--name', rule));
      const { undeliverable } = queueIn(inside.outputs.QueueCaptures ?? '');
      const sqs = new SQSClient();
      const MessageBody = await landingOf(uploads, inside);
      const lies = () => sqs.send(new SendMessageCommand({ QueueUrl: undeliverable, MessageBody }));
      await lies();
      await know('QUEUE=captures');
      expect(await step('### Moving messages back')).toContain('1 messages moved back to captures.');
      expect((await client.verdict(sourceId)).verdict?.outcome).toBe('passed');
      const decided = await client.history(sourceId);
      await Promise.all([lies(), lies()]);
      expect(await step('### Moving messages back')).toContain('2 messages moved back to captures.');
      expect(await step('### Moving messages back')).toContain('No message waits behind captures.');
      await expect.poll(() => messagesIn('capture'), { timeout: 120_000, interval: 1000 }).toBe(0);
      expect(await client.history(sourceId)).toEqual(decided);
    });

    it('holds a vendor: its captures go on to the next provider unasked, until it is let go', async () => {
      const { inside, terminal, checkout } = operated();
      const settings = { settings: { baseUrl: 'https://127.0.0.1:9' }, credentials: { apiKey: 'unused' } };
      await terminal.run(checkout, `echo '${JSON.stringify(settings)}' > build/vendor.json`);
      const key = /api key (\S+)/.exec(await admin('tenant create held'))?.[1] ?? '';
      await admin('credentials set spoofsense held build/vendor.json');
      const policy = z.looseObject({ routes: z.looseObject({}) }).parse(JSON.parse(await admin('policy show held')));
      const routed = { ...policy, routes: { ...policy.routes, spoof_detect: ['spoofsense', 'builtin'] } };
      await terminal.run(checkout, `echo '${JSON.stringify(routed)}' > build/policy-held.json`);
      await admin('policy set held build/policy-held.json');
      await sleep(21_000); // a tenant is read again after 20 s
      const client = clientOf({ ...inside, apiKey: key });
      const asked = async () => {
        const sourceId = newSourceId();
        await put(await client.request(sourceId), await portrait());
        const { attempts, verdict } = await client.verdict(sourceId);
        expect(verdict).toMatchObject({ outcome: 'passed', provider: 'builtin' });
        return new Set(attempts.map(({ provider }) => provider));
      };
      await know('VENDOR=spoofsense');
      expect(await step('### Holding a vendor')).toContain('spoofsense  held  until');
      expect(await asked()).toEqual(new Set(['builtin']));
      await step('### Holding a vendor', 1);
      expect(await admin('breaker list')).not.toContain('spoofsense  held'); // other tenants' breakers are theirs
      await sleep(6000); // workers read a breaker again after 5 s
      expect(await asked()).toEqual(new Set(['spoofsense', 'builtin']));
      // Credentials outlive a stack on purpose; these are of this test alone.
      const secret = ['--secret-id', 'bonafide/providers/spoofsense/held', '--force-delete-without-recovery'] as const;
      await aws('secretsmanager', 'delete-secret', ...secret);
    });

    it('announces again what no rule of the bus saw, under the ids it had', async () => {
      const { inside } = operated();
      const client = clientOf(inside);
      const sourceId = newSourceId();
      const bus = inside.outputs.EventBusName ?? '';
      await know(`SINCE=${new Date().toISOString()}`);
      await aws('events', 'disable-rule', '--name', 'hear', '--event-bus-name', bus);
      await put(await client.request(sourceId), await portrait());
      await client.verdict(sourceId);
      const told = async () => {
        const details = (await inside.events()).map(({ detail }) => heard.parse(detail));
        return details.filter(({ source_id }) => source_id === sourceId);
      };
      await sleep(5000); // by then the stream has put them on the bus, where no rule is
      await aws('events', 'enable-rule', '--name', 'hear', '--event-bus-name', bus);
      expect(await told()).toEqual([]);
      await step('### Announcing events again');
      await expect
        .poll(async () => (await told()).map(({ type }) => type))
        .toEqual(['verification.queued', 'verification.dispatched', 'verification.decided']);
      const [first] = await told();
      const about = /^evt_(.*)_2$/.exec(first?.id ?? '')?.[1] ?? '';
      expect((await told()).map(({ id }) => id)).toEqual([2, 3, 4].map((sequence) => eventId(about, sequence)));
    });

    it('says in one sentence what it does not know, and changes nothing', async () => {
      for (const words of ['redrive nothing', 'breaker open nobody', 'breaker close nobody']) {
        await expect(admin(words), words).rejects.toThrow(
          /ended with 1:[\s\S]*There is no (queue nothing|provider nobody)/,
        );
      }
    });
  });
}

const heard = z.looseObject({ id: z.string(), type: z.string(), source_id: z.string().optional() });
