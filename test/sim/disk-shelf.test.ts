import { describe, expect, it } from 'vitest';
import { Ground, SECTORS } from './oracle-ground.ts';

describe('a disk that is taken out', () => {
  it('is the same one when it is put in again, with what it had while its host had power', () => {
    const ground = new Ground();
    const { disk } = ground.replica(1);
    const { shelf } = disk;
    const [kept, cached] = [ground.invokeWrite(0), ground.invokeWrite(1)];
    ground.put(1, kept, true);
    ground.put(1, cached, false);
    const first = shelf.serial;
    shelf.put('/dev/a');
    shelf.another();
    expect([shelf.serial === first, disk.viewAt(0)]).toEqual([false, 0]);
    shelf.put('/dev/b');
    expect([shelf.take('/dev/a'), shelf.serial, disk.viewAt(1)]).toEqual([true, first, cached]);
    shelf.put('/dev/a');
    expect([shelf.take('/dev/b'), shelf.serial === first, disk.viewAt(1)]).toEqual([
      true,
      false,
      0,
    ]);
  });

  it('can be put in again with what was durable on it, where its host lost power since', () => {
    const ground = new Ground();
    const { disk } = ground.replica(1);
    const [kept, cached, late] = [ground.invokeWrite(0), ground.invokeWrite(1), 0];
    ground.put(1, kept, true);
    ground.put(1, cached, false);
    disk.format(0, new Uint8Array(4096).fill(7));
    expect(disk.shelf.take('/dev/a')).toBe(false);
    disk.shelf.put('/dev/a');
    expect([disk.shelf.has('/dev/a'), disk.shelf.last]).toEqual([true, '/dev/a']);
    disk.shelf.another();
    disk.shelf.crash();
    expect(disk.viewAt(0)).toBe(0);
    disk.format(0, new Uint8Array(4096).fill(9));
    ground.put(1, ground.invokeWrite(5), true);
    disk.shelf.put('/dev/b');
    expect([disk.shelf.take('/dev/a'), disk.shelf.last]).toEqual([true, '/dev/b']);
    expect([disk.viewAt(0), disk.viewAt(1), disk.viewAt(5)]).toEqual([kept, 0, late]);
    expect([disk.meta[0], disk.metaOught[0]]).toEqual([7, 7]);
    expect(disk.mediaAt(SECTORS - 1)).toBe(0);
  });
});
