/** The promises of engine/ports/application.ts, asked of every backend. */
import { expect } from 'vitest';
import type { ApplicationWord } from '../../engine/ports/application.ts';
import type { Define } from './define.ts';

/** What was told of the application, and in which epoch. */
export interface ToldWord {
  readonly state: ApplicationWord;
  readonly epoch: number;
}

/** One application on one host. Times are microseconds of the host's clock from now on. */
export interface ApplicationDriver {
  start(epoch: number, within: number): void;
  renew(epoch: number, within: number): void;
  stop(epoch: number): void;
  /** Everything told since the last question. */
  told(): readonly ToldWord[];
  /** Waits until the application is in this state. */
  reaches(state: ApplicationWord): Promise<void>;
  /** So much time passes on the host's clock, and what is due then is done. */
  pass(micros: number): Promise<void>;
  /** How often something was really started so far. */
  starts(): number;
  /** The process that runs applications dies; a new one comes, and meets the core. */
  newMonitor(): Promise<void>;
  close(): Promise<void>;
}

const SECOND = 1_000_000;
const LONG = 600 * SECOND;

/** Defines the tests; `make` gives an application that was never started. */
export function applicationSuite(define: Define, make: () => ApplicationDriver): void {
  const law = (name: string, run: (driver: ApplicationDriver) => Promise<void>): void => {
    define(name, async () => {
      const driver = make();
      try {
        await run(driver);
      } finally {
        await driver.close();
      }
    });
  };

  law('tells each change, and names its epoch while anything of it may run', async (app) => {
    app.start(3, LONG);
    await app.reaches('running');
    expect(app.told()).toEqual([
      { state: 'starting', epoch: 3 },
      { state: 'running', epoch: 3 },
    ]);
    app.stop(3);
    await app.reaches('stopped');
    expect(app.told()).toEqual([
      { state: 'stopping', epoch: 3 },
      { state: 'stopped', epoch: 0 },
    ]);
  });

  law('goes on under a later epoch, and is not started twice', async (app) => {
    app.start(3, LONG);
    await app.reaches('running');
    app.told();
    app.start(5, LONG);
    expect(app.told()).toEqual([{ state: 'running', epoch: 5 }]);
    expect(app.starts()).toBe(1);
  });

  law('keeps its epoch when an earlier one is ordered, and says so', async (app) => {
    app.start(5, LONG);
    await app.reaches('running');
    app.told();
    app.start(3, LONG);
    expect(app.told()).toEqual([{ state: 'running', epoch: 5 }]);
  });

  law('ends by itself when its right ends', async (app) => {
    app.start(3, 30 * SECOND);
    await app.reaches('running');
    await app.pass(31 * SECOND);
    await app.reaches('stopped');
  });

  law('has its right prolonged by its own epoch, also by one that it took over', async (app) => {
    app.start(3, 30 * SECOND);
    await app.reaches('running');
    app.start(5, 30 * SECOND);
    app.renew(3, LONG);
    app.renew(5, 60 * SECOND);
    await app.pass(45 * SECOND);
    expect(app.told().at(-1)).toEqual({ state: 'running', epoch: 5 });
    await app.pass(20 * SECOND);
    await app.reaches('stopped');
  });

  law('is never shortened in its right', async (app) => {
    app.start(3, 60 * SECOND);
    await app.reaches('running');
    app.renew(3, 10 * SECOND);
    app.start(4, 10 * SECOND);
    await app.pass(30 * SECOND);
    expect(app.told().at(-1)).toEqual({ state: 'running', epoch: 4 });
  });

  law(
    'is not started under a right that has ended, nor does that right take it over',
    async (app) => {
      app.start(3, -SECOND);
      await app.pass(SECOND);
      expect(app.starts()).toBe(0);
      app.start(3, LONG);
      await app.reaches('running');
      app.start(9, -SECOND);
      expect(app.told().at(-1)).toEqual({ state: 'running', epoch: 3 });
    },
  );

  law('answers a stop although it is stopped already', async (app) => {
    app.stop(3);
    await app.reaches('stopped');
    expect(app.told()).toEqual([{ state: 'stopped', epoch: 0 }]);
  });

  law('outlives its monitor, and the next one tells of it', async (app) => {
    app.start(3, LONG);
    await app.reaches('running');
    app.told();
    await app.newMonitor();
    expect(app.told()).toEqual([{ state: 'running', epoch: 3 }]);
    expect(app.starts()).toBe(1);
    app.stop(3);
    await app.reaches('stopped');
  });

  law('is ended by a new monitor when its right has ended meanwhile', async (app) => {
    app.start(3, 30 * SECOND);
    await app.reaches('running');
    await app.pass(20 * SECOND);
    await app.newMonitor();
    await app.pass(11 * SECOND);
    await app.reaches('stopped');
  });
}
