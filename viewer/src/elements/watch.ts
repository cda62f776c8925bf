/** Draws an element again whenever its session changes. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Session } from '../session.ts';

interface Host extends ReactiveControllerHost {
  readonly session: Session;
}

export class Watch implements ReactiveController {
  #host: Host;
  #session: Session | null = null;
  #update = (): void => this.#host.requestUpdate();

  constructor(host: Host) {
    this.#host = host;
    host.addController(this);
  }

  /** The session is a property: it is there by the first update, not at construction. */
  hostUpdate(): void {
    if (this.#session === this.#host.session) return;
    this.hostDisconnected();
    this.#session = this.#host.session;
    this.#session.addEventListener('change', this.#update);
  }

  hostDisconnected(): void {
    this.#session?.removeEventListener('change', this.#update);
    this.#session = null;
  }
}
