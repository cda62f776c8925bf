/** `understudy reservation show`: who may write a disk of an array that several hosts see. */
import Table from 'cli-table3';
import { Command } from 'commander';
import { askDisk } from '../../backends/real/reservation.ts';
import { nodeOfKey } from '../../engine/mirror/reservation.ts';
import type { ReservationTable } from '../../engine/ports/reservation.ts';
import { EXIT_OK, InputError, printJson } from '../failure.ts';

/** Another host may change the table while it is read. */
const TRIES = 10;

interface Row {
  readonly key: string;
  /** Of which of our nodes; null for a key that is not of this program. */
  readonly node: number | null;
  readonly holds: boolean;
}

/** Builds the command and its verb. */
export function reservationCommand(): Command {
  return new Command('reservation')
    .description('who may write a disk of an array that several hosts see')
    .addHelpText(
      'after',
      `
Cluster software and arrays keep others off a shared disk by persistent reservations (SCSI). Before
such a disk becomes a replica nobody else should be on its table: whoever is may write it, beside
the mirror. Reading the table changes nothing. It needs root.`,
    )
    .addCommand(
      new Command('show')
        .description('the keys on the table of a disk, and who holds the reservation')
        .argument('<DEVICE>', 'whole device of the array, such as /dev/disk/by-id/…')
        .option('--json', 'print one JSON object')
        .addHelpText('after', '\nExit codes: 0 shown; 2 bad input, or a disk without such a table.')
        .action((device: string, { json }: { json?: boolean }) => {
          const { keys, holder, generation } = tableOf(device);
          const rows = [...new Set(keys)].map((key): Row => {
            return { key, node: nodeOfKey(key), holds: holder?.key === key };
          });
          if (json === true)
            printJson({ device, generation, reserved: holder !== null, keys: rows });
          else console.log(rows.length === 0 ? `${device}: nobody is on its table.` : text(rows));
          process.exitCode = EXIT_OK;
        }),
    );
}

function tableOf(device: string): ReservationTable {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const answer = askDisk(device, { op: 'read' });
    if (answer.said === 'table') return answer.table;
    if (answer.said === 'unable' && answer.reason === 'unsupported') {
      throw new InputError(
        `${device} knows no persistent reservations`,
        'name the whole device of an array (SCSI), not a partition or a file',
      );
    }
    if (answer.said === 'unable') {
      throw new InputError(
        `${device}: its table cannot be read (errno ${answer.errno})`,
        'name a device that is there and answers, and run this as root',
      );
    }
  }
  throw new InputError(`${device}: its table is being changed all the time`, 'try again');
}

function text(rows: readonly Row[]): string {
  const table = new Table({ head: ['key', 'of', 'reservation'], style: { head: [], border: [] } });
  for (const { key, node, holds } of rows) {
    const whose = node === null ? 'not of this program' : `node ${node}`;
    table.push([key, whose, holds ? 'holds it' : '']);
  }
  return table.toString();
}
