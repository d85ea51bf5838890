import { randomBytes } from 'node:crypto';
import { base32 } from '../../shared/domain/base32.ts';
import type { Endpoint } from '../../shared/domain/endpoint.ts';
import { start } from './verification.ts';

/** An endpoint of `acme` that wants every event, thin; its secret is sealed by no key. */
export function anEndpoint(overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    id: `ep_${base32(randomBytes(10), 16)}`,
    tenant: 'acme',
    url: 'https://hooks.example/bonafide',
    body: 'thin',
    metadata: false,
    description: '',
    v1a: false,
    secrets: [{ keyId: 'none', sealed: '', createdAt: start.toISOString() }],
    createdAt: start.toISOString(),
    version: 1,
    state: 'enabled',
    ...overrides,
  };
}
