/** Playing, stepping, zooming, and the question that brought most readers here. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { ICONS } from '../base/icons.ts';
import { type Session, SPEEDS } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { words } from './words.ts';

export class TransportBar extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: flex; align-items: center; gap: 6px; flex-wrap: wrap; }
      .gap { width: 10px; }
      select { padding: 0 4px; }
      .why { display: inline-flex; align-items: center; gap: 7px; }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    const empty = session.run.length === 0;
    const { playing, question } = session;
    return html`
      ${this.#button('previous', 'page.previous', () => session.step(-1), empty)}
      <button class="icon" id="play" ?disabled=${empty} aria-pressed=${playing}
        title=${words(session, playing ? 'page.pause' : 'page.play')}
        aria-label=${words(session, playing ? 'page.pause' : 'page.play')}
        @click=${() => session.play()}>${playing ? ICONS.pause : ICONS.play}</button>
      ${this.#button('next', 'page.next', () => session.step(1), empty)}
      <select aria-label=${words(session, 'page.speed')} title=${words(session, 'page.speed')}
        @change=${(event: Event) =>
          session.setSpeed(Number((event.target as HTMLSelectElement).value))}>
        ${SPEEDS.map(
          (speed) =>
            html`<option value=${speed} ?selected=${speed === session.speed}>${speed}×</option>`,
        )}
      </select>
      <span class="gap"></span>
      ${this.#button('zoomOut', 'page.zoom-out', () => session.zoom(1.6), empty)}
      ${this.#button('zoomIn', 'page.zoom-in', () => session.zoom(1 / 1.6), empty)}
      ${this.#button('fit', 'page.fit', () => session.fit(), empty)}
      ${
        session.source.kind === 'live'
          ? html`<button id="follow" aria-pressed=${session.follow}
            @click=${() => session.setFollow(!session.follow)}>
            ${words(session, 'page.follow')}
          </button>`
          : ''
      }
      <span class="gap"></span>
      <button id="why" class="primary why" ?disabled=${question === 'none'}
        title=${question === 'none' ? words(session, 'page.no-failover') : 'Y'}
        @click=${() => session.why()}>
        ${ICONS.why}
        ${words(session, question === 'outage' ? 'page.why-outage' : 'page.why-failover')}
      </button>`;
  }

  #button(
    icon: 'previous' | 'next' | 'zoomIn' | 'zoomOut' | 'fit',
    code: string,
    act: () => void,
    disabled: boolean,
  ): TemplateResult {
    const name = words(this.session, code);
    return html`<button class="icon" id=${icon} ?disabled=${disabled} title=${name}
      aria-label=${name} @click=${act}>${ICONS[icon]}</button>`;
  }
}

customElements.define('transport-bar', TransportBar);

declare global {
  interface HTMLElementTagNameMap {
    'transport-bar': TransportBar;
  }
}
