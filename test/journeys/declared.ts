import { faultsOf, type Operation, routes } from '../../shared/api/operations.ts';
import { problemView } from '../../shared/api/verifications.ts';

/** API Gateway's own answers: `{ "message": … }`, before any function is asked. */
const gatewayStatuses = [404, 413, 429, 503];

/** The row of the route that serves this request, or undefined where there is none. */
export function rowOf(method: string, path: string): (Operation & { readonly key: string }) | undefined {
  const [bare = ''] = path.split('?');
  return routes.find((route) => {
    const pattern = route.path.replaceAll(/\{\w+\}/g, '[^/]+');
    return route.method === method && new RegExp(`^${pattern}$`).test(bare);
  });
}

/**
 * Throws where an answer is not one of those that the route's row declares: another status, a fault the row does not
 * name, a body of another shape. Every journey calls the API through it, so an undeclared answer fails its test.
 */
export function declared(method: string, path: string, answer: { status: number; body: unknown }): void {
  const row = rowOf(method, path);
  const { status, body } = answer;
  const fromGateway =
    gatewayStatuses.includes(status) && typeof body === 'object' && body !== null && 'message' in body;
  if (fromGateway || !row) return;
  const refuse = (what: string) => {
    throw new Error(
      `${row.key} answered ${status} ${what}, which its row in shared/api/operations.ts does not declare`,
    );
  };
  const expected = row.answers[status];
  if (expected) {
    const parsed = expected.body.safeParse(body);
    if (!parsed.success) refuse(`with another body (${parsed.error.issues[0]?.path.join('.')})`);
    return;
  }
  const problem = problemView.safeParse(body);
  const code = problem.success ? problem.data.code : 'without a problem';
  if (!faultsOf(row).some((known) => known === code)) refuse(code);
}
