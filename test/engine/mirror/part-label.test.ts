import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeLabel,
  encodeLabel,
  judgeCopies,
  judgeLabel,
  PARTS_MAX,
  type PartLabel,
} from '../../../engine/mirror/part-label.ts';

const MIB = 1_048_576;
const LABEL: PartLabel = {
  uuid: '00112233445566778899aabbccddeeff',
  device: 'feedfacecafebeefdeadc0de00000001',
  node: 2,
  index: 1,
  parts: [
    { name: 'data', sizeBytes: 4 * MIB },
    { name: 'log', sizeBytes: 4 * MIB },
    { name: 'archive', sizeBytes: 64 * 1024 * 1024 * MIB },
  ],
};

const label = fc
  .uniqueArray(fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,31}$/), {
    minLength: 2,
    maxLength: PARTS_MAX,
  })
  .chain((names) =>
    fc.record({
      uuid: fc.stringMatching(/^[0-9a-f]{32}$/),
      device: fc.stringMatching(/^[0-9a-f]{32}$/),
      node: fc.integer({ min: 1, max: 64 }),
      index: fc.nat(names.length - 1),
      parts: fc.constant(names.map((name, i) => ({ name, sizeBytes: (i + 1) * MIB }))),
    }),
  );

function verdictOn(found: PartLabel, wanted: PartLabel): string {
  return judgeLabel(decodeLabel(encodeLabel(found)), wanted);
}

describe('the label of a part', () => {
  it('says again what was put into it', () => {
    fc.assert(
      fc.property(label, (wanted) => {
        expect(decodeLabel(encodeLabel(wanted))).toEqual({ ok: true, label: wanted });
        expect(verdictOn(wanted, wanted)).toBe('ok');
      }),
    );
  });

  it('is none after any change of a bit, and no other page is one', () => {
    const bytes = encodeLabel(LABEL);
    for (let bit = 0; bit < 800 * 8; bit += 1) {
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(decodeLabel(bytes).ok).toBe(false);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
    }
    expect(decodeLabel(bytes).ok).toBe(true);
    expect(decodeLabel(new Uint8Array(4096))).toEqual({ ok: false, fault: 'none' });
    expect(decodeLabel(bytes.subarray(0, 512))).toEqual({ ok: false, fault: 'none' });
  });

  it('is accepted for the very part that it was written for, and for no other', () => {
    fc.assert(
      fc.property(label, label, (one, other) => {
        const wanted = { ...other, uuid: one.uuid };
        const same = JSON.stringify(one) === JSON.stringify(wanted);
        expect(verdictOn(one, wanted) === 'ok').toBe(same);
      }),
    );
  });

  it('tells an exchanged path from an exchanged configuration, and from a strange disk', () => {
    expect(verdictOn(LABEL, { ...LABEL, index: 0 })).toBe('other-part');
    const [first, second, third] = LABEL.parts as [
      PartLabel['parts'][0],
      PartLabel['parts'][0],
      PartLabel['parts'][0],
    ];
    for (const parts of [
      [second, first, third],
      [first, second],
      [first, { ...second, sizeBytes: 5 * MIB }, third],
      [first, { ...second, name: 'journal' }, third],
      [...LABEL.parts, { name: 'more', sizeBytes: MIB }],
    ]) {
      expect(verdictOn(LABEL, { ...LABEL, parts })).toBe('other-parts');
    }
    expect(verdictOn(LABEL, { ...LABEL, device: `${'0'.repeat(31)}1` })).toBe('other-device');
    expect(verdictOn(LABEL, { ...LABEL, device: '' })).toBe('ok');
    expect(verdictOn(LABEL, { ...LABEL, node: 3 })).toBe('other-node');
    expect(verdictOn(LABEL, { ...LABEL, uuid: LABEL.device })).toBe('other-volume');
  });

  it('is there twice: one whole copy is enough, and none may say anything else', () => {
    const good = decodeLabel(encodeLabel(LABEL));
    const none = decodeLabel(new Uint8Array(4096));
    expect(judgeCopies([good, good], LABEL)).toEqual({ verdict: 'ok', damaged: [] });
    expect(judgeCopies([none, none], LABEL)).toEqual({ verdict: 'none', damaged: [0, 1] });
    fc.assert(
      fc.property(label, fc.boolean(), (other, first) => {
        const pair = (a: typeof good, b: typeof good) => (first ? [a, b] : [b, a]);
        const damaged = [first ? 0 : 1];
        expect(judgeCopies(pair(none, good), LABEL)).toEqual({ verdict: 'ok', damaged });
        const strange = decodeLabel(encodeLabel(other));
        const verdict = judgeLabel(strange, LABEL);
        expect(verdict).not.toBe('ok');
        expect(judgeCopies(pair(good, strange), LABEL).verdict).toBe(verdict);
        expect(judgeCopies(pair(none, strange), LABEL).verdict).toBe(verdict);
        const later = { ok: false, fault: 'version' } as const;
        expect(judgeCopies(pair(good, later), LABEL).verdict).toBe('version');
      }),
    );
  });

  it('is laid out as it always was', () => {
    const words = encodeLabel(LABEL).subarray(0, 100);
    const hex = [...words].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    expect(hex.slice(0, 48)).toBe('5553595002000000' + '00112233445566778899aabbccddeeff');
    expect(hex.slice(128, 160)).toBe(LABEL.device);
  });
});
