/**
 * What a guest boots from: a kernel of Debian's, and an initramfs with busybox, the modules that
 * the guest needs, and `guest-init.sh`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/** A kernel with its modules, in a tree laid out as Debian's package is. */
export type GuestKernel = {
  readonly image: string;
  /** `…/lib/modules/RELEASE`. */
  readonly modules: string;
};

/** What every guest loads: its disks, how it sees the host's tree, and the array. */
const needed: readonly string[] = [
  'virtio_pci',
  '9pnet_virtio',
  '9p',
  'overlay',
  'sd_mod',
  'sg',
  'target_core_mod',
  'target_core_file',
  'crc32c_generic',
  'iscsi_target_mod',
  'iscsi_tcp',
];

const busybox = '/bin/busybox';

/** Where `guest-parts.sh` puts what it fetches. */
function partsFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'understudy', 'guest');
}

/** The folder of the iSCSI initiator's program and libraries. */
export function initiatorFolder(): string {
  return join(partsFolder(), 'iscsi');
}

/** The newest fetched kernel that has the modules of a guest, or null. */
export function findKernel(): GuestKernel | null {
  const boot = join(partsFolder(), 'boot');
  const images = existsSync(boot) ? readdirSync(boot) : [];
  const newestFirst = images
    .filter((name) => name.startsWith('vmlinuz-'))
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  for (const name of newestFirst) {
    const modules = join(partsFolder(), 'lib', 'modules', name.slice('vmlinuz-'.length));
    const kernel = { image: join(boot, name), modules };
    if (isComplete(kernel)) return kernel;
  }
  return null;
}

function isComplete(kernel: GuestKernel): boolean {
  try {
    modulesInOrder(kernel, needed);
    return true;
  } catch {
    return false;
  }
}

/** Why no initramfs can be made here, or null. */
export function busyboxMissing(): string | null {
  const hint = '(apt install busybox-static)';
  if (!existsSync(busybox)) return `busybox is not installed ${hint}`;
  // A program that names a loader cannot run where there is nothing else.
  if (readFileSync(busybox).includes('/ld-linux')) return `busybox is not static ${hint}`;
  return null;
}

/**
 * The files of `names` and of what they depend on, each after what it needs itself. What is built
 * into the kernel needs no file. Throws where one is neither, or is compressed.
 */
export function modulesInOrder(kernel: GuestKernel, names: readonly string[]): readonly string[] {
  const files = listed(kernel, 'modules.order');
  const builtin = listed(kernel, 'modules.builtin');
  const order = new Set<string>();
  const visit = (name: string): void => {
    const key = moduleKey(name);
    const file = files.get(key);
    if (file === undefined) {
      if (builtin.has(key)) return;
      throw new Error(`the kernel has no module ${name}`);
    }
    if (order.has(file)) return;
    // Modules do not depend on each other in a circle, so that the walk comes to an end.
    for (const other of dependencies(file)) visit(other);
    order.add(file);
  };
  for (const name of names) visit(name);
  return [...order];
}

/** The paths of one of the kernel's lists by the names of their modules. */
function listed({ modules }: GuestKernel, list: string): ReadonlyMap<string, string> {
  const paths = readFileSync(join(modules, list), 'utf8').trim().split('\n');
  return new Map(paths.map((path) => [moduleKey(basename(path, '.ko')), join(modules, path)]));
}

/** A module's name and its file's name may differ in this one respect. */
function moduleKey(name: string): string {
  return name.replaceAll('-', '_');
}

/** What a module says of itself in its section `.modinfo`, whose entries end with a zero byte. */
function dependencies(file: string): readonly string[] {
  const text = readFileSync(file).toString('latin1');
  const entry = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? '';
  return entry === '' ? [] : entry.split(',');
}

/** The initramfs of a guest whose `/settings` is this text, with `extra` modules by name. */
export function initramfs(
  kernel: GuestKernel,
  settings: string,
  extra: readonly string[],
): Uint8Array {
  const modules = modulesInOrder(kernel, [...needed, ...extra]);
  const init = readFileSync(new URL('guest-init.sh', import.meta.url));
  const entries: Entry[] = ['bin', 'dev', 'proc', 'sys', 'modules'].map((path) => folder(path));
  entries.push(file('init', init), file('bin/busybox', readFileSync(busybox)));
  entries.push(file('settings', Buffer.from(settings)));
  entries.push(
    file('modules/order', Buffer.from(`${modules.map((m) => basename(m)).join('\n')}\n`)),
  );
  for (const path of modules) entries.push(file(`modules/${basename(path)}`, readFileSync(path)));
  return archive(entries);
}

type Entry = { readonly path: string; readonly mode: number; readonly bytes: Uint8Array };

function folder(path: string): Entry {
  return { path, mode: 0o040755, bytes: new Uint8Array() };
}

function file(path: string, bytes: Uint8Array): Entry {
  return { path, mode: 0o100755, bytes };
}

/** A cpio archive in the format "newc", which is what a kernel unpacks. */
function archive(entries: readonly Entry[]): Uint8Array {
  const end = { path: 'TRAILER!!!', mode: 0, bytes: new Uint8Array() };
  const parts = [...entries, end].flatMap(({ path, mode, bytes }, index) => {
    const name = Buffer.from(`${path}\0`);
    // Inode, mode, owner, group, links, time, size, device and its kind (two each), name, checksum.
    const fields = [index + 1, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
    const head = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
    return [padded(Buffer.concat([Buffer.from(`070701${head}`), name])), padded(bytes)];
  });
  return Buffer.concat(parts);
}

/** Names and contents begin at multiples of four. */
function padded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
