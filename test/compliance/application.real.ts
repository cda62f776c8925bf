/** The real application under its contract: a process of this machine, a clock that is moved. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application } from '../../backends/real/application.ts';
import type { ApplicationWord } from '../../engine/ports/application.ts';
import { waitFor } from '../real/support/hosts.ts';
import type { ApplicationDriver, ToldWord } from './application.suite.ts';

const GROUP = 'service';
const SECOND = 1_000_000;
const order = { kind: 'application', group: GROUP, cause: '' } as const;

export class RealApplication implements ApplicationDriver {
  readonly #folder = mkdtempSync(join(tmpdir(), 'us-app-contract-'));
  #told: ToldWord[] = [];
  /** What the clock shows beyond the time that really passed. */
  #ahead = 0;
  /** Until when the guardian's page says that the lease holds. */
  #lease = 0;
  #application = this.#monitor();

  start(epoch: number, within: number): void {
    this.#order('start', epoch, within);
  }

  renew(epoch: number, within: number): void {
    this.#order('renew', epoch, within);
  }

  stop(epoch: number): void {
    this.#application.order({ ...order, action: 'stop', epoch, until: 0 });
  }

  told(): readonly ToldWord[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  async reaches(state: ApplicationWord): Promise<void> {
    await waitFor(`state ${state}`, () => this.#application.state.state === state);
  }

  /** Moves the clock, and lets the monitor look at it a few times. */
  async pass(micros: number): Promise<void> {
    this.#ahead += micros;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }

  starts(): number {
    try {
      return readFileSync(join(this.#folder, 'starts'), 'utf8').length;
    } catch {
      return 0;
    }
  }

  async newMonitor(): Promise<void> {
    this.#application.close();
    this.#application = this.#monitor();
    // As the monitor does when it meets the core.
    this.#tell(this.#application.state);
  }

  async close(): Promise<void> {
    await this.#application.stop('shut-down');
    this.#application.close();
    rmSync(this.#folder, { recursive: true });
  }

  #monitor(): Application {
    return new Application(
      GROUP,
      {
        start: 'echo >> starts; exec sleep 1000',
        stop: '',
        check: '',
        checkEvery: SECOND / 5,
        startTimeout: 5 * SECOND,
        stopTimeout: 5 * SECOND,
      },
      {
        place: { folder: this.#folder, workFolder: this.#folder, node: 'a' },
        boot: 7,
        clock: () => this.#clock(),
        leaseUntil: () => this.#lease,
        log: () => undefined,
        tell: (state) => this.#tell(state),
      },
    );
  }

  #tell({ state, epoch }: ToldWord): void {
    this.#told.push({ state, epoch });
  }

  #order(action: 'start' | 'renew', epoch: number, within: number): void {
    this.#application.order({ ...order, action, epoch, until: this.#clock() + within });
  }

  #clock(): number {
    return this.#ahead + Math.floor(performance.now() * 1000);
  }
}
