import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { type Operation, operations } from '../../shared/api/operations.ts';
import { signClientToken } from '../../shared/domain/client-token.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { authenticate } from '../../shared/lambda/authenticate.ts';
import { clientTokenSecret, signingSecretOf } from '../builders/deployment.ts';
import { setup } from '../builders/setup.ts';
import { anAwaitingVerification } from '../builders/verification.ts';

const route = operations['GET /verifications/{source_id}'];
const handOff = operations['POST /verifications/{source_id}/hand-off'];

/** One verification of acme, and who calls about it. */
async function called() {
  const { verifications, now, advance } = setup();
  const record = anAwaitingVerification();
  await verifications.create(record);
  const reads: string[] = [];
  let keys = 1;
  const dependencies = {
    verifications: {
      find: (id: string) => {
        reads.push('verification');
        return verifications.find(id);
      },
    },
    tenants: {
      authenticate: async () => {
        throw new Fault('api_key_invalid', 'Send a current key.');
      },
      hasKey: async (id: string) => {
        reads.push(`tenant ${id}`);
        return keys > 0;
      },
    },
    clientTokenSecret: signingSecretOf('replaced it', clientTokenSecret),
    now,
  };
  return {
    record,
    verifications,
    reads,
    advance,
    token: signClientToken(clientTokenSecret, { verificationId: record.verificationId }, now().getTime() / 1000 + 60),
    revokeEveryKey: () => {
      keys = 0;
    },
    phone: (number: number) =>
      signClientToken(
        clientTokenSecret,
        { verificationId: record.verificationId, handOff: number },
        now().getTime() / 1000 + 60,
      ),
    by: (token: string, sourceId = record.sourceId, at: Operation = route) => {
      const headers: Record<string, string> = { authorization: `Bearer ${token}` };
      const event = { headers, pathParameters: { source_id: sourceId } } as unknown as APIGatewayProxyEventV2;
      return authenticate(event, at, dependencies);
    },
  };
}

const refused = { code: 'client_token_invalid', status: 401, message: 'Ask your server for a new client_token.' };

describe('a client token', () => {
  it('opens its verification, for one read of it and one of its tenant', async () => {
    const { by, token, record, reads } = await called();
    expect(await by(token)).toEqual({ by: 'client_token', verification: record });
    expect(reads).toEqual(['verification', 'tenant acme']);
  });

  it('is refused once its tenant has no key any more', async () => {
    const { by, token, revokeEveryKey } = await called();
    revokeEveryKey();
    await expect(by(token)).rejects.toMatchObject(refused);
  });

  it('is refused at the address of another verification', async () => {
    const { by, token } = await called();
    await expect(by(token, 'visit-8')).rejects.toMatchObject(refused);
  });

  it('is refused after the erasure of its verification', async () => {
    const { by, token, verifications, record } = await called();
    await verifications.move(record, 'erased', {});
    await expect(by(token)).rejects.toMatchObject(refused);
  });

  it('that is forged or too old is refused without a read', async () => {
    const { by, token, advance, reads } = await called();
    await expect(by(token.replace(/.$/, '!'))).rejects.toMatchObject(refused);
    advance(60);
    await expect(by(token)).rejects.toMatchObject(refused);
    expect(reads).toEqual([]);
  });
});

describe('the client token of a device that the capture was handed over to', () => {
  const claimed = { state: 'claimed', number: 3 } as const;

  it('opens its verification, and says which hand-off it is of', async () => {
    const { by, phone, verifications, record } = await called();
    await verifications.handOff(record, claimed);
    expect(await by(phone(3))).toMatchObject({ by: 'client_token', verification: { handOff: claimed }, handOff: 3 });
  });

  it('is refused once the capture was taken back or handed over again, or was never handed over', async () => {
    const { by, phone, verifications, record } = await called();
    await expect(by(phone(3))).rejects.toMatchObject(refused);
    await verifications.handOff(record, claimed);
    await expect(by(phone(2))).rejects.toMatchObject(refused);
    await expect(by(phone(4))).rejects.toMatchObject(refused);
  });

  it('may not hand off or take back, which the first device may', async () => {
    const { by, phone, token, verifications, record } = await called();
    await verifications.handOff(record, claimed);
    for (const row of [handOff, operations['DELETE /verifications/{source_id}/hand-off']]) {
      await expect(by(phone(3), record.sourceId, row)).rejects.toMatchObject(refused);
      expect(await by(token, record.sourceId, row)).toMatchObject({ by: 'client_token' });
    }
  });
});
