/** The simulated application under its contract: one host's monitor on a queue of its own. */
import { Applications, type MonitorWord } from '../../backends/sim/applications.ts';
import { SimClock } from '../../backends/sim/clock.ts';
import { Kernel, Kind } from '../../backends/sim/kernel.ts';
import type { ApplicationWord } from '../../engine/ports/application.ts';
import type { ApplicationDriver, ToldWord } from './application.suite.ts';

const GROUP = 'service';
const SECOND = 1_000_000;
const order = { kind: 'application', group: GROUP, cause: '' } as const;

export class SimApplication implements ApplicationDriver {
  readonly #kernel = new Kernel();
  readonly #clock = new SimClock();
  readonly #applications: Applications;
  #told: ToldWord[] = [];
  #starts = 0;
  #monitor = true;

  constructor() {
    this.#kernel.reset(1, false);
    this.#clock.start(0, 5 * SECOND);
    const host = {
      node: 1,
      clock: this.#clock,
      monitorRunning: (): boolean => this.#monitor,
      tellCore: ({ state, epoch }: MonitorWord): void => void this.#told.push({ state, epoch }),
      applicationChanged: (_: number, state: ApplicationWord): void => {
        if (state === 'starting') this.#starts += 1;
      },
    };
    this.#applications = new Applications(this.#kernel, host, [GROUP]);
  }

  start(epoch: number, within: number): void {
    this.#applications.order({ ...order, action: 'start', epoch, until: this.#in(within) });
  }

  renew(epoch: number, within: number): void {
    this.#applications.order({ ...order, action: 'renew', epoch, until: this.#in(within) });
  }

  stop(epoch: number): void {
    this.#applications.order({ ...order, action: 'stop', epoch, until: 0 });
  }

  told(): readonly ToldWord[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  async reaches(state: ApplicationWord): Promise<void> {
    for (let i = 0; i < 1000 && this.#applications.state(0) !== state; i++) {
      await this.pass(SECOND / 100);
    }
    if (this.#applications.state(0) !== state) throw new Error(`never ${state}`);
  }

  async pass(micros: number): Promise<void> {
    const kernel = this.#kernel;
    const { queue } = kernel;
    const end = kernel.now + micros;
    while (queue.size > 0 && queue.nextTime <= end) {
      kernel.now = queue.nextTime;
      const entry = queue.pop();
      const [a, b, c] = [queue.a[entry], queue.b[entry], queue.c[entry]];
      if (queue.kind[entry] === Kind.MonitorTimer) {
        this.#applications.timer(a as number, b as number, c as number);
      }
      queue.release(entry);
    }
    kernel.now = end;
  }

  starts(): number {
    return this.#starts;
  }

  async newMonitor(): Promise<void> {
    this.#monitor = false;
    await this.pass(SECOND / 2);
    this.#monitor = true;
    this.#applications.resumed();
  }

  async close(): Promise<void> {}

  #in(micros: number): number {
    return this.#clock.at(this.#kernel.now) + micros;
  }
}
