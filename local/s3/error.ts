import { document, element } from './xml.ts';

interface More {
  /** Elements S3 adds to the error document: what was wrong, and what would have been right. */
  details?: Record<string, string | number>;
  headers?: Record<string, string>;
}

/** A refusal in S3's own words. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, string | number>;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, { details = {}, headers = {} }: More = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.headers = headers;
  }

  toXml(resource: string): string {
    const details = Object.entries(this.details).map(([name, value]) => element(name, value));
    const content = element('Code', this.code) + element('Message', this.message) + details.join('');
    return document(`<Error>${content}${element('Resource', resource)}</Error>`);
  }
}

export const accessDenied = (message = 'Access Denied', details: More['details'] = {}) =>
  new S3Error(403, 'AccessDenied', message, { details });

export const invalidRequest = (message: string) => new S3Error(400, 'InvalidRequest', message);

/** Names the argument and not its value, which may be a credential. */
export const invalidArgument = (message: string, ArgumentName: string) =>
  new S3Error(400, 'InvalidArgument', message, { details: { ArgumentName } });

/** A header whose meaning S3 does not know. */
export const headerNotImplemented = (Header: string) =>
  new S3Error(501, 'NotImplemented', 'A header you provided implies functionality that is not implemented', {
    details: { Header },
  });

/** What S3 can do and this one cannot. */
export const unknownHere = (what: string) => new S3Error(501, 'NotImplemented', `The local S3 does not know ${what}`);
