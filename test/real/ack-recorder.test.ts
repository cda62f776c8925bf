/** The judge of the end-to-end test is judged first: it must see every kind of loss. */
import { describe, expect, it } from 'vitest';
import { AckRecorder } from './support/ack-recorder.ts';

function recorded(...lines: string[]): AckRecorder {
  const recorder = new AckRecorder();
  for (const line of lines) recorder.take(line);
  return recorder;
}

describe('the recorder of acknowledged writes', () => {
  it('accepts exactly what was acknowledged', () => {
    const recorder = recorded('I 1 0 2', 'A 1', 'I 2 1 1', 'A 2');
    expect(recorder.verify([1, 2, 0])).toEqual([]);
  });

  it('sees an acknowledged write that is gone, in whole or in part', () => {
    const recorder = recorded('I 1 0 2', 'A 1', 'I 2 0 2', 'A 2');
    expect(recorder.verify([1, 2]).map(({ block }) => block)).toEqual([0]);
    expect(recorded('I 1 0 2', 'A 1').verify([0, 1])).toHaveLength(1);
  });

  it('sees bytes that nobody wrote', () => {
    expect(recorded('I 1 0 1', 'A 1').verify([-1])).toHaveLength(1);
    expect(recorded().verify([7])).toHaveLength(1);
  });

  it('lets a write without an answer have happened or not, and then holds to it', () => {
    for (const seen of [1, 2]) {
      const recorder = recorded('I 1 0 1', 'A 1', 'I 2 0 1', 'E 2 107');
      expect(recorder.verify([seen])).toEqual([]);
      expect(recorder.verify([seen])).toEqual([]);
      expect(recorder.verify([3 - seen])).toHaveLength(1);
    }
  });

  it('counts what its client left unanswered as lost', () => {
    const recorder = recorded('I 1 0 1', 'I 2 1 1', 'A 1');
    recorder.abandon();
    expect([recorder.acknowledged, recorder.lost]).toEqual([1, 1]);
    expect(recorder.verify([1, 2])).toEqual([]);
  });
});
