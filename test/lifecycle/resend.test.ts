import { beforeEach, describe, expect, it } from 'vitest';
import { type Delivery, deliveryId } from '../../shared/domain/delivery.ts';
import { eventId } from '../../shared/domain/event.ts';
import type { WebhookMessage } from '../../shared/domain/ports.ts';
import { epochSeconds, keptSeconds } from '../../shared/domain/times.ts';
import { resendDelivery } from '../../shared/lifecycle/resend.ts';
import { anEndpoint } from '../builders/endpoint.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification, start } from '../builders/verification.ts';
import { memoryDeliveries } from '../simulation/deliveries.ts';
import { memoryEndpoints } from '../simulation/endpoints.ts';
import { memoryKeptEvents } from '../simulation/kept-events.ts';

describe('a delivery that is sent again by hand', () => {
  const iso = start.toISOString();
  let world: ReturnType<typeof resending>;
  function resending() {
    const { now, verifications, orders, ordered } = setup();
    const sent: WebhookMessage[] = [];
    const dependencies = {
      endpoints: memoryEndpoints(now),
      keptEvents: memoryKeptEvents(now),
      deliveries: memoryDeliveries(now),
      webhooks: { send: async (messages: readonly WebhookMessage[]) => void sent.push(...messages) },
      verifications,
      orders,
      newId: () => 'again-1',
    };
    return { ...dependencies, dependencies, sent, ordered };
  }
  beforeEach(() => {
    world = resending();
  });

  async function delivered(overrides: Partial<Delivery> = {}): Promise<string> {
    const { about = 'a'.repeat(26), sequence = 4 } = overrides;
    const row: Delivery = {
      ...{ eventId: eventId(about, sequence), endpointId: 'result', tenant: 'acme', about, sequence },
      ...{ type: 'verification.decided', state: 'delivered', failed: 0, tries: [], createdAt: iso, updatedAt: iso },
      purgeAt: epochSeconds(start) + keptSeconds,
      ...overrides,
    };
    await world.deliveries.begin(row);
    return deliveryId(row);
  }

  async function withEvent(overrides: Partial<Parameters<typeof anEndpoint>[0]> = {}, data: string | undefined = '{}') {
    const endpoint = anEndpoint(overrides);
    await world.endpoints.create(endpoint);
    const id = await delivered({ endpointId: endpoint.id });
    const [key = ''] = id.split('.');
    await world.keptEvents.keep({
      ...{ id: key, tenant: 'acme', type: 'verification.decided', about: 'a'.repeat(26), sequence: 4, data },
      ...{ occurredAt: iso, keptAt: iso, purgeAt: epochSeconds(start) + keptSeconds },
    });
    return { endpoint, id };
  }

  it('goes to its endpoint, whether it was taken or not', async () => {
    const { endpoint, id } = await withEvent();
    expect(await resendDelivery('acme', id, world)).toMatchObject({ state: 'delivered' });
    expect(world.sent).toEqual([
      {
        ...{ tenant: 'acme', eventId: id.split('.')[0], about: 'a'.repeat(26), endpointId: endpoint.id, failed: 0 },
        again: { kind: 'resend', id: 'again-1' },
      },
    ]);
  });

  it('is refused where its endpoint is disabled or deleted', async () => {
    const { endpoint, id } = await withEvent({ state: 'disabled' });
    await expect(resendDelivery('acme', id, world)).rejects.toMatchObject({ code: 'endpoint_disabled', status: 409 });
    await world.endpoints.remove('acme', endpoint.id);
    await expect(resendDelivery('acme', id, world)).rejects.toMatchObject({ code: 'endpoint_disabled' });
  });

  it('is refused where its event was erased', async () => {
    const { id } = await withEvent();
    const event = await world.keptEvents.find(id.split('.')[0] ?? '');
    if (event) await world.keptEvents.empty([event]);
    await expect(resendDelivery('acme', id, world)).rejects.toMatchObject({ code: 'event_erased', status: 409 });
    expect(world.sent).toEqual([]);
  });

  it('is refused alike where it is another tenant’s and where there is none', async () => {
    const { id } = await withEvent();
    const refusals: string[] = [];
    const wrong = [
      ['other', id],
      ['acme', `${id}a`],
      ['acme', 'evt'],
      ['acme', ''],
    ] as const;
    for (const [tenant, wanted] of wrong) {
      await resendDelivery(tenant, wanted, world).catch((error) => refusals.push(`${error.code} ${error}`));
    }
    expect(refusals).toEqual(Array(4).fill(refusals[0]));
    expect(refusals[0]).toMatch('delivery_unknown');
  });

  it('posts a result that was not taken, given up or not, and refuses one that was', async () => {
    const order = { sourceId: 'an', imageLink: 'https://images.example', webhookName: 'ours' };
    const record = anAwaitingVerification({ order });
    await world.verifications.create(record);
    const moved = await world.verifications.move(record, 'expired', {});
    if (moved.kind !== 'moved') throw new Error('expired');
    const expired = await world.verifications.giveUpOrder(
      { ...moved.verification, order },
      { failedPosts: 6, dueAt: 1 },
    );
    if (expired.kind !== 'moved') throw new Error('counted');
    const id = await delivered({ about: record.verificationId, sequence: 2, state: 'spent' });
    await resendDelivery('acme', id, world);
    expect(world.ordered).toEqual(['deliver after 6 in 0 s']);
    await world.verifications.closeOrder(expired.verification, undefined);
    await expect(resendDelivery('acme', id, world)).rejects.toMatchObject({ code: 'result_closed', status: 409 });
    const current = await world.verifications.find(record.verificationId);
    if (current) await world.verifications.move(current, 'erased', {});
    await expect(resendDelivery('acme', id, world)).rejects.toMatchObject({ code: 'event_erased' });
  });
});
