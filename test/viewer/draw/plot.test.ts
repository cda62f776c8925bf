import { describe, expect, it } from 'vitest';
import { TimelineReader } from '../../../engine/timeline/codec.ts';
import { PALETTES } from '../../../viewer/src/base/palette.ts';
import { geometryOf } from '../../../viewer/src/draw/geometry.ts';
import { drawMinimap } from '../../../viewer/src/draw/minimap.ts';
import { Hatches, type Pen } from '../../../viewer/src/draw/pen.ts';
import { drawPlot, type Picture } from '../../../viewer/src/draw/plot.ts';
import { Run } from '../../../viewer/src/model/run.ts';
import { sampleText } from '../../support/sample-timeline.ts';

/** A pen that writes down what it is told. */
function recordingPen(): { pen: Pen; log: string[]; fills: () => number } {
  const log: string[] = [];
  const state: { [name: string]: unknown } = {};
  const pen = new Proxy(state, {
    get: (_, name) => {
      if (name === 'measureText') return (words: string) => ({ width: words.length * 6 });
      if (String(name) in state) return state[String(name)];
      return (...rest: unknown[]) => void log.push(`${String(name)} ${rest.join(' ')}`);
    },
    set: (_, name, value) => {
      state[String(name)] = value;
      log.push(`${String(name)} = ${String(value)}`);
      return true;
    },
  }) as unknown as Pen;
  return { pen, log, fills: () => log.filter((line) => line.startsWith('fillRect')).length };
}

function runOf(filler: number, violation = false): Run {
  const run = new Run();
  const reader = new TimelineReader(run);
  reader.push(sampleText({ filler, violation }));
  reader.end();
  return run;
}

function pictureOf(run: Run, from: number, to: number, width = 1200): Picture {
  return {
    view: { from, to, width },
    height: 900,
    scroll: 0,
    geometry: geometryOf(run.lanes.list),
    palette: PALETTES.dark,
    hatches: new Hatches(),
    kinds: run.kinds,
    all: run.all,
    events: (lane) => lane.events,
    words: (_track, value) => [String(value)],
    end: run.end,
  };
}

function draw(run: Run, from: number, to: number): ReturnType<typeof recordingPen> {
  const recording = recordingPen();
  drawPlot(recording.pen, pictureOf(run, from, to));
  return recording;
}

describe('the drawing', () => {
  const few = runOf(400);
  const many = runOf(120_000);

  it('is the same whenever the same is drawn', () => {
    const [one, other] = [draw(few, 0, few.end), draw(few, 0, few.end)];
    expect(one.log).toEqual(other.log);
  });

  it('costs no more for many events than the width of the picture allows', () => {
    const lanes = many.lanes.list.length;
    for (const [from, to] of [
      [0, many.end],
      [many.end * 0.4, many.end * 0.6],
      [many.end * 0.5, many.end * 0.5005],
    ] as const) {
      const recording = draw(many, from, to);
      expect(recording.fills()).toBeLessThanOrEqual(2 * 1200 * lanes);
    }
    // Runs of equal columns are one operation: three hundred times the events, not the cost.
    expect(draw(many, 0, many.end).fills()).toBeLessThan(3 * draw(few, 0, few.end).fills());
  });

  it('crosses all lanes where a law is broken', () => {
    const broken = runOf(60_000, true);
    const lines = draw(broken, 0, broken.end).log;
    const x = Math.floor((23_600_000 / broken.end) * 1200);
    expect(lines).toContain(`fillRect ${x} 26 2 900`);
    expect(draw(many, 0, many.end).log).not.toContain(`fillRect ${x} 26 2 900`);
  });

  it('writes states in words, not in colours alone', () => {
    const { log } = draw(few, 0, few.end);
    const said = log.filter((line) => line.startsWith('fillText')).join('\n');
    for (const word of ['Primary', 'Suspended', 'UpToDate', 'SyncTarget', 'leader']) {
      expect(said).toContain(word);
    }
  });

  it('draws the whole run in small at the same cost', () => {
    const costs = [few, many].map((run) => {
      const recording = recordingPen();
      drawMinimap(recording.pen, {
        view: { from: 0, to: run.end, width: 1400 },
        all: run.all,
        serving: run.lanes.list[0]!.bars[0],
        window: { from: 0, to: run.end },
        cursor: 0,
        palette: PALETTES.dark,
      });
      return recording.fills();
    });
    expect(Math.max(...costs)).toBeLessThanOrEqual(1400 + 20);
  });
});
