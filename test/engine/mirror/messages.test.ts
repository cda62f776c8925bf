import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGE_BYTES } from '../../../engine/data/abi.ts';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from '../../../engine/mirror/messages.ts';
import { anyPeerMessage as message } from '../../support/mirror-messages.ts';

describe('peer messages', () => {
  it('arrive as they were sent, and what a newer program adds is ignored', () => {
    fc.assert(
      fc.property(message, fc.nat(20), (m, more) => {
        const page = new Uint8Array(PAGE_BYTES).fill(7);
        const length = encodePeerMessage(m, '1.2.d3', page);
        // Features stand first of what can follow a hello, and that one has none.
        if (m.kind === 'hello' && m.features === undefined) page[length] = 0;
        const envelope = decodePeerMessage(page.subarray(0, length + more), 'v');
        expect(envelope).toEqual({ cause: '1.2.d3', message: m });
      }),
    );
  });

  /** How much of it programs of before did not write, and end before. */
  const addedTo = (m: PeerMessage): number => {
    if (m.kind === 'hello') return m.view.device === undefined ? 1 : 9;
    return 'disks' in m ? 1 + 5 * m.disks.length : 0;
  };

  it('are null when cut short, but where programs of before end', () => {
    fc.assert(
      fc.property(message, fc.nat(4000), (m, cut) => {
        const page = new Uint8Array(PAGE_BYTES);
        const length = encodePeerMessage(m, '', page);
        const short = page.subarray(0, Math.max(0, length - 1 - cut));
        const added = addedTo(m);
        const isOfBefore = added > 0 && short.length === length - added;
        expect(decodePeerMessage(short, 'v') !== null).toBe(isOfBefore);
      }),
    );
  });

  it('never throw, whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, kind) => {
        if (bytes.length > 2) {
          bytes[0] = 1;
          bytes[1] = kind;
          bytes[2] = (bytes[2] as number) & 3;
        }
        const envelope = decodePeerMessage(bytes, 'v');
        expect(envelope === null || typeof envelope.message.kind === 'string').toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
