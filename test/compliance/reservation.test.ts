/** The simulated array under its contract; the real one is in test/real/reservation.test.ts. */
import { describe, it } from 'vitest';
import { SimReservations } from '../support/reservation-table.ts';
import { reservationSuite } from './reservation.suite.ts';

describe('a simulated disk of an array', () => {
  reservationSuite(it, async () => {
    const array = new SimReservations();
    return {
      ask: async (path, order) => array.ask(path, order),
      write: (path) => {
        return new Promise((ended) => {
          array.send({ path, ended });
          array.moves(0);
          array.moves(0);
        });
      },
    };
  });
});
