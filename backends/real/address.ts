/** "host:port" as the configuration writes it, brackets round an IPv6 host. */
import { isIP } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly family: 'udp4' | 'udp6';
}

/** Splits an address that the configuration's schema has accepted. */
export function parseAddress(text: string): Address {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(text.slice(colon + 1)), family: isIP(host) === 6 ? 'udp6' : 'udp4' };
}
