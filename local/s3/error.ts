import { document, element } from './xml.ts';

/** A refusal in S3's own words. */
export class S3Error extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  toXml(resource: string): string {
    const content = element('Code', this.code) + element('Message', this.message) + element('Resource', resource);
    return document(`<Error>${content}</Error>`);
  }
}

export const accessDenied = (message = 'Access Denied') => new S3Error(403, 'AccessDenied', message);
