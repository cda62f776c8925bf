/** Simulated and real applications under one contract. */
import { describe, it } from 'vitest';
import { RealApplication } from './application.real.ts';
import { SimApplication } from './application.sim.ts';
import { applicationSuite } from './application.suite.ts';

describe('the contract of a simulated application', () => {
  applicationSuite(it, () => new SimApplication());
});

describe('the contract of a real application', () => {
  applicationSuite(it, () => new RealApplication());
});
