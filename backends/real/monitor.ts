/**
 * The monitor process of a host: keeps core and guardian running, and runs applications under the
 * core's orders. A witness has nothing to guard and runs nothing; its monitor keeps the core.
 */
import { mkdirSync } from 'node:fs';
import type { Micros } from '../../engine/core/units.ts';
import { Application } from './application.ts';
import { openClock } from './clock.ts';
import { CoreKeeper } from './core-keeper.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';
import { GuardianKeeper } from './guardian-keeper.ts';
import { hostBoot } from './host-boot.ts';
import { HostJournal } from './host-journal.ts';
import { type HostOptions, hostPaths, selfOf } from './host-options.ts';
import { type Log, openLog } from './log.ts';
import { BEAT_MS, type CoreMessage } from './supervision.ts';
import { TimelineFile } from './timeline-file.ts';
import { timelineHeader } from './timeline-header.ts';

/** How long the core may take to stop in good order. */
const STOP_LIMIT_MS = 10_000;

/** How a monitor ended. */
export type MonitorEnd = 'stopped' | 'refused';

export class Monitor {
  readonly ended: Promise<MonitorEnd>;
  #options: HostOptions;
  #log: Log;
  #journal: HostJournal;
  #lock: DirectoryLock;
  #core: CoreKeeper;
  #guardian: GuardianKeeper;
  #applications = new Map<string, Application>();
  #timer: NodeJS.Timeout;
  #end: (how: MonitorEnd) => void = () => undefined;
  #up: (api: string) => void = () => undefined;
  #stopping = false;
  /** Resolves to the path of the core's socket for commands, once a core answers. */
  readonly ready: Promise<string>;

  /**
   * `prepare` runs once the folder is ours alone. Throws HostError when this host's monitor runs
   * already.
   */
  static async start(
    options: HostOptions,
    prepare: (options: HostOptions) => void = () => undefined,
  ): Promise<Monitor> {
    const lock = await lockDirectory(options.dataFolder, 'monitor');
    prepare(options);
    return new Monitor(options, lock, openClock(selfOf(options)));
  }

  private constructor(options: HostOptions, lock: DirectoryLock, clock: () => Micros) {
    const { config, dataFolder, node } = options;
    const self = selfOf(options);
    const paths = hostPaths(dataFolder);
    const boot = hostBoot(node);
    this.#options = options;
    this.#lock = lock;
    const header = () => timelineHeader(options, clock());
    const file = new TimelineFile(paths.hostTimeline, header);
    this.#journal = new HostJournal(file, { node, clock, run: Date.now() });
    this.#log = this.#journal.listening(openLog(self.name, 'monitor'));
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.ready = new Promise((resolve) => {
      this.#up = resolve;
    });
    this.#guardian = new GuardianKeeper(self, dataFolder, boot, config.timing, this.#log);
    mkdirSync(paths.applications, { recursive: true, mode: 0o700 });
    const place = { folder: paths.applications, workFolder: options.folder, node: self.name };
    // One P at most: by then the core has renewed, or it is dead and the right doubtful.
    const leaseUntil = (): Micros => {
      return Math.min(clock() + config.timing.pet, this.#guardian.deadline);
    };
    for (const { name, nodes, application } of config.groups) {
      if (application === null || !nodes.includes(node)) continue;
      const tell = (state: Application['state']): void => this.#core.send(state);
      const host = { place, boot, clock, leaseUntil, log: this.#log, tell };
      this.#applications.set(name, new Application(name, application, host));
    }
    // A witness serves nobody: its absence for a second moves nothing.
    const core = { folder: dataFolder, socket: paths.core, withSpare: !self.witness };
    this.#core = new CoreKeeper(core, this.#log, {
      connected: () => this.#greet(),
      message: (message) => this.#take(message),
      refused: () => void this.#refused(),
    });
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Stops applications, core and guardian in this order; the lease then lapses. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#log('info', 'stopping');
    await this.#stopApplications();
    const states = [...this.#applications.values()].map(({ state }) => state.state);
    await this.#core.stop(
      STOP_LIMIT_MS,
      states.every((state) => state === 'stopped'),
    );
    this.#close('stopped');
  }

  #greet(): void {
    for (const application of this.#applications.values()) this.#core.send(application.state);
    this.#beat();
  }

  #beat(): void {
    this.#guardian.look();
    this.#core.send({
      kind: 'beat',
      guardian: this.#guardian.report,
      coreRestarts: this.#core.restarts,
    });
  }

  #take(message: CoreMessage): void {
    if (message.kind === 'hello') this.#up(message.api);
    if (message.kind !== 'application') return;
    if (!this.#stopping) this.#applications.get(message.group)?.order(message);
  }

  /** The core said why on standard error. */
  async #refused(): Promise<void> {
    this.#stopping = true;
    await this.#stopApplications();
    this.#close('refused');
  }

  async #stopApplications(): Promise<void> {
    const applications = [...this.#applications.values()];
    await Promise.all(applications.map((application) => application.stop('shut-down')));
  }

  #close(how: MonitorEnd): void {
    clearInterval(this.#timer);
    for (const application of this.#applications.values()) application.close();
    this.#guardian.stop();
    this.#journal.close();
    this.#lock.release();
    this.#log('info', 'ended', { how, folder: this.#options.dataFolder });
    this.#end(how);
  }
}
