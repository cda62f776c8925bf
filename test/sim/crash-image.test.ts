import { describe, expect, it } from 'vitest';
import { Request } from '../../backends/sim/history.ts';
import { lackOf } from '../../backends/sim/oracle/crash-image.ts';
import { Zeroes } from '../../backends/sim/zeroes.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

/** Clients that write sectors, one after another, and flush. */
class Clients {
  readonly ground = new Ground();
  readonly image = new Int32Array(SECTORS);

  write(sector: number, { fua = false, zero = false, ends = true } = {}): number {
    const { history } = this.ground;
    const op = history.invoke(Request.Write, sector, 1, fua, 1, 1, zero);
    if (ends) history.complete(op);
    return op;
  }

  flush(): void {
    const { history } = this.ground;
    history.complete(history.invoke(Request.Flush, 0, 0, false, 1, 1));
  }

  get lack(): number | undefined {
    const { truth, history, spoils } = this.ground;
    return lackOf(truth, new Zeroes(history, spoils), this.image)?.sector;
  }
}

describe('an image that a crash could have left', () => {
  it('has all that was stable before its newest write was asked for', () => {
    const clients = new Clients();
    const { image } = clients;
    const old = clients.write(0);
    const stable = clients.write(0);
    clients.flush();
    image[1] = clients.write(1);
    expect(clients.lack).toBe(0);
    image[0] = old;
    expect(clients.lack).toBe(0);
    image[0] = stable;
    expect(clients.lack).toBeUndefined();
  });

  it('may lack what no flush covers, and all that is newer than the whole of it', () => {
    const clients = new Clients();
    const { image } = clients;
    image[0] = clients.write(0);
    clients.flush();
    clients.write(2);
    image[1] = clients.write(1);
    expect(clients.lack).toBeUndefined();
    clients.flush();
    clients.write(3, { fua: true });
    expect(clients.lack).toBeUndefined();
  });

  it('has what was written with FUA before, and may have what came after that', () => {
    const clients = new Clients();
    const { image } = clients;
    clients.write(0, { fua: true });
    const later = clients.write(0, { ends: false });
    image[1] = clients.write(1);
    expect(clients.lack).toBe(0);
    image[0] = later;
    expect(clients.lack).toBeUndefined();
  });

  it('tells no zeroes from others', () => {
    const clients = new Clients();
    const { image } = clients;
    clients.write(0, { zero: true });
    clients.flush();
    clients.write(2);
    clients.flush();
    // Not flushed, and there as zeroes that nobody can name.
    clients.write(2, { zero: true });
    image[1] = clients.write(1);
    expect(clients.lack).toBeUndefined();
    clients.write(3);
    clients.flush();
    image[1] = clients.write(1);
    expect(clients.lack).toBe(3);
  });

  it('need not have what an earlier decision gave up', () => {
    const clients = new Clients();
    const { ground, image } = clients;
    clients.write(0);
    clients.flush();
    image[1] = clients.write(1);
    expect(clients.lack).toBe(0);
    const moment = ground.history.tick();
    ground.truth.decided = { moment, content: image.slice(), kept: 1, stable: true };
    // Of before the decision: it is judged as it was.
    expect(clients.lack).toBe(0);
    image[1] = clients.write(1);
    expect(clients.lack).toBeUndefined();
    clients.write(2);
    clients.flush();
    image[1] = clients.write(1);
    expect(clients.lack).toBe(2);
  });

  it('has what was decided on, where nothing came after that', () => {
    const clients = new Clients();
    const { ground, image } = clients;
    image[0] = clients.write(0);
    const content = image.slice();
    const moment = ground.history.tick();
    ground.truth.decided = { moment, content, kept: 1, stable: true };
    image[1] = clients.write(1);
    expect(clients.lack).toBeUndefined();
    image[0] = 0;
    expect(clients.lack).toBe(0);
    ground.truth.decided.stable = false;
    expect(clients.lack).toBeUndefined();
    ground.truth.decided.stable = true;
    clients.write(0, { zero: true });
    expect(clients.lack).toBeUndefined();
  });
});
