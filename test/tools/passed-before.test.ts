import { describe, expect, it } from 'vitest';
import { leftOut } from '../../tools/testing/passed-before.ts';

const passed = [
  'test/engine/mirror/undo.test.ts',
  'test/scenarios/history.test.ts',
  'test/real/two-hosts.test.ts',
  'test/native/slots.test.ts',
].map((file) => ({ file, tests: 3 }));

/** The second one runs more when a variable says so. */
const source = (file: string) => (file.includes('history') ? "process.env['UNDERSTUDY_CI']" : '');

describe('what a stricter run leaves out', () => {
  it('is what passed before with nothing skipped, and nothing that a variable changes', () => {
    expect(leftOut(passed, source).map(({ file }) => file)).toEqual([
      'test/engine/mirror/undo.test.ts',
      'test/real/two-hosts.test.ts',
      'test/native/slots.test.ts',
    ]);
  });
});
