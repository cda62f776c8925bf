import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegisterOracle } from '../../backends/sim/oracle/register.ts';
import { Ground, SECTORS } from './oracle-ground.ts';

class Register {
  readonly ground = new Ground();
  readonly oracle: RegisterOracle;

  constructor() {
    const { pool, history, truth, verdict } = this.ground;
    this.oracle = new RegisterOracle('r', pool, SECTORS, history, truth.flushed, verdict);
  }

  beginWrite(): number {
    const op = this.ground.invokeWrite(0);
    this.oracle.invoked(op);
    return op;
  }
  endWrite(op: number): void {
    this.ground.history.complete(op);
    this.oracle.written(op);
  }
  write(): number {
    const op = this.beginWrite();
    this.endWrite(op);
    return op;
  }
  beginRead(): number {
    const op = this.ground.invokeRead(0);
    this.oracle.invoked(op);
    return op;
  }
  endRead(op: number, value: number): void {
    this.ground.history.complete(op);
    this.oracle.read(op, new Int32Array([value]), 0);
  }
  read(value: number): void {
    this.endRead(this.beginRead(), value);
  }
  /** The session of a pending write is over; the next one has just succeeded with something. */
  close(op: number): void {
    this.ground.history.closed[op] = this.ground.history.tick();
    this.oracle.dropped(op);
  }
  get held(): boolean {
    return this.ground.codes.length === 0;
  }
}

describe('LAW-register', () => {
  it('holds when reads return the latest acknowledged value', () => {
    const r = new Register();
    r.read(0);
    const first = r.write();
    r.read(first);
    const second = r.write();
    r.read(second);
    r.read(second);
    expect(r.held).toBe(true);
  });

  it('catches a read of a value that was overwritten', () => {
    const r = new Register();
    const first = r.write();
    r.write();
    r.read(first);
    expect(r.ground.codes).toEqual(['register.stale-read']);
  });

  it('catches a read of the empty sector after a write was acknowledged', () => {
    const r = new Register();
    r.write();
    r.read(0);
    expect(r.held).toBe(false);
  });

  it('catches a value that nobody wrote there', () => {
    const r = new Register();
    const elsewhere = r.ground.invokeWrite(9);
    r.read(elsewhere);
    expect(r.held).toBe(false);
  });

  it('catches new, then old: a value that was once read pins what comes after', () => {
    const r = new Register();
    const first = r.write();
    const pending = r.beginWrite();
    r.read(first);
    r.read(pending);
    expect(r.held).toBe(true);
    r.read(first);
    expect(r.held).toBe(false);
  });

  it('allows either of two concurrent writes, but only one of them from then on', () => {
    const r = new Register();
    const a = r.beginWrite();
    const b = r.beginWrite();
    r.endWrite(a);
    r.endWrite(b);
    r.read(a);
    r.read(a);
    expect(r.held).toBe(true);
    r.read(b);
    expect(r.held).toBe(false);
  });

  it('allows a write that was pending when its session ended to be there, or never to be', () => {
    for (const there of [true, false]) {
      const r = new Register();
      const before = r.write();
      const pending = r.beginWrite();
      r.close(pending);
      r.read(there ? pending : before);
      r.read(there ? pending : before);
      expect(r.held).toBe(true);
    }
  });

  it('catches a ghost: a pending write that appears after the take-over', () => {
    const r = new Register();
    const before = r.write();
    const pending = r.beginWrite();
    r.close(pending);
    r.read(before);
    r.read(pending);
    expect(r.ground.codes).toEqual(['register.stale-read']);
  });

  it('catches a ghost that comes back over a write of the new primary', () => {
    const r = new Register();
    const pending = r.beginWrite();
    r.close(pending);
    r.write();
    r.read(pending);
    expect(r.held).toBe(false);
  });

  it('lets a sector go back to its last flushed value when every holder lost power', () => {
    const r = new Register();
    const flushed = r.write();
    r.ground.truth.flushed[0] = r.ground.history.invoked[flushed] as number;
    const lost = r.write();
    r.oracle.forget(r.ground.history.tick());
    r.read(flushed);
    expect(r.held).toBe(true);
    r.read(lost);
    expect(r.held).toBe(false);
  });

  it('does not let it go back behind the last flushed value', () => {
    const r = new Register();
    const old = r.write();
    const flushed = r.write();
    r.ground.truth.flushed[0] = r.ground.history.invoked[flushed] as number;
    r.oracle.forget(r.ground.history.tick());
    r.read(old);
    expect(r.held).toBe(false);
  });

  it('agrees with a search over all orders, on small random histories', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { maxLength: 14 }), (steps) => {
        const r = new Register();
        const operations: Operation[] = [];
        const open: { op: number; write: boolean }[] = [];
        const values = [0];
        for (const [what, die] of steps) {
          if (what === 0 && open.length < 3) {
            const op = r.beginWrite();
            values.push(op);
            open.push({ op, write: true });
          } else if (what === 1 && open.length < 3) open.push({ op: r.beginRead(), write: false });
          else if (open.length > 0) {
            const [{ op, write }] = open.splice(die % open.length, 1) as [(typeof open)[0]];
            const value = write ? op : (values[die % values.length] as number);
            if (write) r.endWrite(op);
            else r.endRead(op, value);
            const { invoked, completed } = r.ground.history;
            operations.push({ write, value, from: invoked[op]!, to: completed[op]! });
          }
        }
        // A write that never ended may have happened at any time after it began, or never.
        for (const { op, write } of open) {
          if (!write || !operations.some(({ value }) => value === op)) continue;
          const from = r.ground.history.invoked[op] as number;
          operations.push({ write: true, value: op, from, to: 1_000_000 });
        }
        expect(r.held).toBe(linearizable(operations, 0));
      }),
      { numRuns: 3_000 },
    );
  });
});

interface Operation {
  readonly write: boolean;
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** Tries every order that respects real time: slow, short, and obviously right. */
function linearizable(operations: readonly Operation[], value: number): boolean {
  if (operations.length === 0) return true;
  const earliestEnd = Math.min(...operations.map(({ to }) => to));
  return operations.some((next, i) => {
    if (next.from > earliestEnd) return false;
    if (!next.write && next.value !== value) return false;
    const rest = operations.filter((_, j) => j !== i);
    return linearizable(rest, next.write ? next.value : value);
  });
}
