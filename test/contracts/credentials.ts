import { registry } from '../../shared/providers/registry.ts';

/** Credentials as each provider's secret has them. */
export function credentialsOf(name: string, key: string): Record<string, string> {
  if (name === 'identify') return { token: key, webhookName: 'contract' };
  return registry.get(name)?.remote ? { apiKey: key } : {};
}
