/*
 * The deployed API of the emulator is called https://<id>.execute-api.localhost:<port>. RFC 6761 gives every name under
 * localhost to this machine, and curl keeps to that, but the resolvers of many machines do not know it. Imported first
 * by every Node of the emulator's environment, npm's own too: so no TypeScript here.
 */
import dns from 'node:dns';

const { lookup } = dns;

dns.lookup = function lookupOnThisMachine(name, ...rest) {
  return lookup.call(this, String(name).endsWith('.localhost') ? '127.0.0.1' : name, ...rest);
};
