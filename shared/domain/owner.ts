import { tenantId } from './verification.ts';

/**
 * Owner of credentials and webhook addresses: a tenant, by its id, or the deployment itself, which serves every tenant
 * that has none of its own.
 */
export const deploymentOwner = 'deployment';

/** Id of a tenant that is made now. A tenant called as the deployment is can exist from before, and stays readable. */
export const newTenantId = tenantId.refine(
  (id) => id !== deploymentOwner,
  `must not be "${deploymentOwner}": the commands call the deployment itself so`,
);

/** Name of the secret with an owner's credentials of a provider. */
export function secretNameOf(stackName: string, provider: string, owner: string): string {
  return `${stackName}/providers/${provider}/${owner}`;
}

/** Whether a verification's credentials, by the name of their secret, are the deployment's own. */
export function isDeploymentSecret(secretName: string, provider: string): boolean {
  return secretName.endsWith(`/providers/${provider}/${deploymentOwner}`);
}
