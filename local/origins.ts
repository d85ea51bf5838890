/** Pages served by this machine may call the local API and S3 without being asked for: a developer's own front end. */
export function isLoopbackOrigin(origin: string): boolean {
  const hostname = URL.parse(origin)?.hostname;
  return hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';
}
