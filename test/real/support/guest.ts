/**
 * A Linux guest in QEMU that has what this machine's kernel may lack: disks of a SCSI array, each
 * reached by several hosts at once, with working persistent reservations. One guest plays all of
 * these hosts: to the array an I_T nexus is a host, and the guest has one device a nexus and disk.
 *
 * A command in the guest sees the host's tree, with what it writes kept in the guest's memory. Of
 * what it leaves, only the folder `shared` outlives the guest; it has the same path on both sides.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { busyboxMissing, findKernel, initiatorFolder, initramfs } from './guest-image.ts';

const qemu = 'qemu-system-x86_64';
const MIB = 1024 * 1024;
const BOOT_LIMIT = 120_000;
const RUN_LIMIT = 60_000;

export type GuestOptions = {
  /** The disks' names: letters and digits. */
  readonly disks?: readonly string[];
  /** How many hosts the guest plays: 1 to 9. */
  readonly nexuses?: number;
  /** The size of each disk, kept in the guest's memory as far as it is written to. */
  readonly diskBytes?: number;
  readonly sectorBytes?: 512 | 4096;
  /** Modules to load besides, by name. */
  readonly modules?: readonly string[];
  readonly memoryMib?: number;
  readonly bootLimitMs?: number;
};

export type RunOptions = {
  /** Beside PATH, HOME and `NEXUS1_X` and so on: the device of disk `X` by nexus 1. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of this process unless said otherwise. */
  readonly cwd?: string;
  readonly limitMs?: number;
};

export type GuestResult = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Why no guest can run here, or null. */
export function guestMissing(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'guests are for Linux on x64';
  if (spawnSync(qemu, ['--version']).status !== 0) {
    return `${qemu} is not installed (apt install qemu-system-x86)`;
  }
  const busybox = busyboxMissing();
  if (busybox !== null) return busybox;
  if (findKernel() === null) return 'no kernel for guests (run test/real/support/guest-parts.sh)';
  return null;
}

/** Boots a guest; it is ready, with its array, when this is done. */
export async function startGuest(options: GuestOptions = {}): Promise<Guest> {
  const kernel = findKernel();
  if (kernel === null) throw new Error(guestMissing() ?? 'no kernel for guests');
  const shared = mkdtempSync(join(tmpdir(), 'understudy-guest-'));
  const settings = [
    `shared=${quoted(shared)}`,
    `disks=${quoted((options.disks ?? ['X', 'Y']).join(' '))}`,
    `nexuses=${options.nexuses ?? 2}`,
    `disk_bytes=${options.diskBytes ?? 64 * MIB}`,
    `sector_bytes=${options.sectorBytes ?? 512}`,
    `iscsi=${quoted(initiatorFolder())}`,
  ];
  const memory = join(shared, 'initramfs');
  writeFileSync(memory, initramfs(kernel, `${settings.join('\n')}\n`, options.modules ?? []));
  const guest = new Guest(kernel.image, memory, shared, options.memoryMib ?? 1536);
  try {
    await guest.answer('ready', 'the guest boots', options.bootLimitMs ?? BOOT_LIMIT);
    return guest;
  } catch (error) {
    await guest.close();
    throw error;
  }
}

/** Runs one command in a guest of its own. */
export async function runInGuest(
  command: readonly string[],
  options: GuestOptions & RunOptions = {},
): Promise<GuestResult> {
  const guest = await startGuest(options);
  try {
    return await guest.run(command, options);
  } finally {
    await guest.close();
  }
}

type Awaited = { readonly resolve: (line: string) => void; readonly reject: (e: Error) => void };

export class Guest {
  /** A folder that the guest reads and writes too. It goes with the guest. */
  readonly shared: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #awaited = new Map<string, Awaited>();
  #over: Error | null = null;
  #jobs = 0;

  /** Use `startGuest`. */
  constructor(kernel: string, memory: string, shared: string, mib: number) {
    this.shared = shared;
    const said = openSync(join(shared, 'qemu'), 'w');
    const line = [qemu, ...machine(mib), ...shares(shared), '-kernel', kernel, '-initrd', memory];
    line.push('-append', 'console=ttyS0 panic=-1 mitigations=off nokaslr audit=0');
    line.push('-serial', `file:${this.#consoleFile}`, '-serial', 'stdio');
    // The guest goes when this process does, however it ends.
    const words = ['--pdeathsig', 'KILL', '--', ...line];
    this.#process = spawn('setpriv', words, { stdio: ['pipe', 'pipe', said] });
    this.#process.stdin?.on('error', () => {});
    createInterface({ input: this.#process.stdout as NodeJS.ReadableStream }).on('line', (text) =>
      this.#heard(text.trim()),
    );
    this.#ended = new Promise<void>((resolve) => {
      this.#process.once('error', () => resolve());
      this.#process.once('exit', () => resolve());
    }).then(() => this.#giveUp('the guest has ended'));
  }

  /** Runs a command to its end. Several may run at a time. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<GuestResult> {
    this.#jobs += 1;
    const job = String(this.#jobs);
    const path = join(this.shared, `job-${job}`);
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
    const sets = Object.entries({ ...env, HOME: '/root', ...options.env });
    const lines = sets.map(([name, value]) => `export ${name}=${quoted(value)}`);
    lines.push(`cd ${quoted(options.cwd ?? process.cwd())} || exit 125`);
    lines.push(`exec ${command.map(quoted).join(' ')}`);
    writeFileSync(`${path}.sh`, `${lines.join('\n')}\n`);
    const answer = this.answer(`done ${job}`, command.join(' '), options.limitMs ?? RUN_LIMIT);
    this.#process.stdin?.write(`${job}\n`);
    const code = Number(await answer);
    const said = (stream: string): string => readFileSync(`${path}.${stream}`, 'utf8');
    return { code, stdout: said('out'), stderr: said('err') };
  }

  /** What follows `words` in the line of the guest that begins so. */
  async answer(words: string, what: string, limitMs: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        if (this.#over !== null) throw this.#over;
        this.#awaited.set(words, { resolve, reject });
        // The command may hang in the kernel, which only the guest's end ends.
        timer = setTimeout(() => this.#giveUp(`${what}: no end within ${limitMs} ms`), limitMs);
      });
    } finally {
      clearTimeout(timer);
      this.#awaited.delete(words);
    }
  }

  /** Safe to call twice. What the guest's disks held is lost. */
  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
    rmSync(this.shared, { recursive: true, force: true });
  }

  get #consoleFile(): string {
    return join(this.shared, 'console');
  }

  #heard(line: string): void {
    for (const [words, { resolve }] of this.#awaited) {
      if (line === words || line.startsWith(`${words} `)) resolve(line.slice(words.length + 1));
    }
  }

  /** Everything that is awaited fails, and the guest is good for nothing more. */
  #giveUp(why: string): void {
    this.#over ??= new Error(`${why}\n${this.#lastWords()}`);
    this.#process.kill('SIGKILL');
    for (const { reject } of this.#awaited.values()) reject(this.#over);
  }

  #lastWords(): string {
    return ['qemu', 'console']
      .map((name) => tail(join(this.shared, name)))
      .filter((text) => text !== '')
      .join('\n');
  }
}

/**
 * The processor is emulated, which every machine can do. `UNDERSTUDY_GUEST_ACCEL=kvm` asks for the
 * machine's own: a /dev/kvm is no proof that it works, for one without a processor of that kind is
 * for guests that know of it, and an ordinary kernel stands still there.
 */
function machine(mib: number): string[] {
  const words = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'];
  const accelerated = ['-accel', 'kvm', '-cpu', 'host'];
  const emulated = ['-accel', 'tcg,thread=multi', '-cpu', 'max'];
  words.push('-m', `${mib}`, '-smp', '2');
  const isAsked = process.env['UNDERSTUDY_GUEST_ACCEL'] === 'kvm';
  return [...words, ...(isAsked ? accelerated : emulated)];
}

/** The host's tree, which the guest cannot write to, and the folder that it can. */
function shares(shared: string): string[] {
  const share = (tag: string, path: string, mode: string): string[] => [
    '-fsdev',
    `local,id=${tag},path=${path},security_model=none,multidevs=remap${mode}`,
    '-device',
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
  return [...share('host', '/', ',readonly=on'), ...share('shared', shared, '')];
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-25).join('\n');
  } catch {
    return '';
  }
}
