import { describe, expect, it } from 'vitest';
import { isSound, verdictText } from '../../cli/verify-text.ts';
import type { VerifyFinding, VerifyReport } from '../../engine/data/messages.ts';
import { CATALOGUES } from '../../viewer/src/catalogue/catalogue.ts';

const CONTEXT = { primary: 'a', names: { 1: 'a', 2: 'b' } };
const DONE: VerifyReport = {
  kind: 'verify',
  volume: 'data',
  id: 1,
  level: 'digest',
  repair: false,
  state: 'done',
  reason: '',
  cursor: 4096,
  blocks: 4096,
  checked: 4096,
  differing: 0,
  repaired: 0,
  unreadable: 0,
  findings: [],
  disagreements: [],
};

function run(block: number, blocks: number, change: Partial<VerifyFinding> = {}): VerifyFinding {
  const copies = [
    { node: 1, holds: '00112233445566778899aabbccddeeff' },
    { node: 2, holds: 'ffeeddccbbaa99887766554433221100' },
  ];
  const plain = { what: 'differs', right: 0, why: 'no-checksums', repaired: 0 } as const;
  return { block, blocks, ...plain, copies, ...change };
}

describe('the verdict of a verification', () => {
  it('says that all is equal', () => {
    expect(verdictText(DONE, CONTEXT)).toBe('data: 4096 blocks of 4 KiB compared, all equal.');
    expect(isSound(DONE)).toBe(true);
  });

  it('names what differs by its bytes, and claims of neither copy that it is right', () => {
    const report = { ...DONE, differing: 4, findings: [run(12, 1), run(40, 3)] };
    expect(verdictText(report, CONTEXT).split('\n')).toEqual([
      'data: 4096 blocks of 4 KiB compared, 4 differ.',
      '  bytes 49152–53247 (block 12); a has 00112233…; b has ffeeddcc…; ' +
        'nobody knows who is right: two copies without checksums',
      '  bytes 163840–176127 (blocks 40–42); a has 00112233…; b has ffeeddcc…; ' +
        'nobody knows who is right: two copies without checksums',
      'Two copies do not tell which one is right. Clients read the one of a; --repair',
      'writes it over the other.',
    ]);
    expect(isSound(report)).toBe(false);
  });

  it('names the part of a volume in which it is, and the bytes there', () => {
    const parts = [
      { part: 'pages', sizeBytes: 20 * 4096 },
      { part: 'log', sizeBytes: 20 * 4096 },
    ];
    const report = { ...DONE, differing: 4, findings: [run(12, 1), run(20, 2), run(19, 2)] };
    const lines = verdictText(report, { ...CONTEXT, parts }).split('\n');
    expect(lines[1]).toContain('  bytes 49152–53247 of pages (block 12);');
    expect(lines[2]).toContain('  bytes 0–8191 of log (blocks 20–21);');
    // What is on two disks is told by where it is in the volume.
    expect(lines[3]).toContain('  bytes 77824–86015 (blocks 19–20);');
  });

  it('says who is right where a disk did not give its copy, or a map is dirty', () => {
    const copies = [
      { node: 1, holds: 'unreadable' },
      { node: 2, holds: 'ffeeddccbbaa99887766554433221100' },
    ];
    const lost = run(3, 1, { what: 'unreadable', right: 2, why: 'medium-error', copies });
    const text = verdictText({ ...DONE, unreadable: 1, findings: [lost] }, CONTEXT);
    expect(text).toContain('1 block could not be read.');
    expect(text).toContain('a does not give it; b has ffeeddcc…; b has the right one: ');
    const newer = run(9, 1, { right: 1, why: 'dirty' });
    const other = verdictText({ ...DONE, differing: 1, findings: [newer] }, CONTEXT);
    expect(other).toContain('a has the right one: ');
  });

  it('counts what it does not name', () => {
    const findings = Array.from({ length: 30 }, (_, i) => run(i * 2, 1));
    const text = verdictText({ ...DONE, differing: 900, findings }, CONTEXT);
    expect(text).toContain('and 876 blocks more');
  });

  it('says what was repaired, what was not, and where to go on', () => {
    const findings = [run(7, 2, { repaired: 1 })];
    const some = { ...DONE, differing: 2, repaired: 1, findings, cursor: 9, repair: true };
    const text = verdictText({ ...some, state: 'stopped', reason: 'order' }, CONTEXT);
    expect(text).toContain('1 written anew');
    expect(text).toContain('1 block written anew from the copy of a.');
    expect(text).toContain('1 block left to the next resync.');
    expect(text).toContain('before block 9; go on with --resume');
    expect(isSound({ ...some, repaired: 2 })).toBe(true);
  });

  it('says what metadata disagree on, and that no data were read', () => {
    const quick = { ...DONE, level: 'quick', checked: 0 } as const;
    expect(verdictText(quick, CONTEXT)).toContain('agree; no data were read');
    const says = [
      { node: 1, value: '0' },
      { node: 2, value: '3' },
    ];
    const runs = { what: 'dirty', right: 0, why: 'other-dirty', copies: [] } as const;
    const disagreements = [{ what: 'map', says }] as const;
    const report = { ...quick, disagreements, findings: [run(4, 3, runs)] };
    const text = verdictText(report, CONTEXT);
    expect(text).toContain(': a 0, b 3');
    expect(text).toContain('bytes 16384–28671 (blocks 4–6); may differ; nobody knows');
    expect(isSound(report)).toBe(false);
  });

  it('has words for every reason and for everything that metadata may disagree on', () => {
    const reasons = ['no-checksums', 'medium-error', 'both-lost', 'dirty', 'other-dirty'];
    const facts = ['epoch', 'generation', 'disk', 'map', 'writes'].map((what) => `verify.${what}`);
    for (const catalogue of [CATALOGUES.en, CATALOGUES.zh]) {
      for (const code of [...reasons, ...facts]) {
        expect([code, catalogue[`term.${code}`] ?? 'nothing']).not.toEqual([code, 'nothing']);
      }
    }
  });
});
