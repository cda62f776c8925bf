/** What the keys do, and what the colours and shapes mean. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { ICONS } from '../base/icons.ts';
import { KEYS } from '../keys.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { glyphIcon } from './glyph-icon.ts';
import { Watch } from './watch.ts';
import { words } from './words.ts';

/** One kind for each shape, to be explained by its shape's words. */
const SHAPES = [
  ['promote', 2],
  ['fence', 3],
  ['violation', 4],
  ['operator', 1],
  ['cut', 3],
  ['disk', 3],
  ['power', 3],
  ['clock', 2],
  ['heal', 2],
] as const;

/** What is painted so, as the state colours are: hatched where the plot hatches. */
const COLOURS = [
  ['primary', ''],
  ['ok', ''],
  ['secondary', ''],
  ['resync', ''],
  ['unknown', 'rising'],
  ['bad', 'falling'],
  ['fence', 'falling'],
] as const;

const KEY_NAMES: { readonly [key: string]: string } = {
  ' ': 'Space',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

export class KeyHelp extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      dialog { color: var(--text); background: var(--panel); border: 1px solid var(--line);
        border-radius: 12px; padding: 18px 22px; max-width: 720px;
        box-shadow: 0 18px 60px rgb(0 0 0 / 0.5); }
      dialog::backdrop { background: rgb(0 0 0 / 0.5); }
      .head { display: flex; justify-content: space-between; align-items: center; gap: 24px;
        margin-bottom: 10px; font-size: 16px; font-weight: 600; }
      .columns { display: grid; grid-template-columns: 1.5fr 1fr; gap: 28px; }
      dl { display: grid; grid-template-columns: auto 1fr; gap: 5px 14px; margin: 8px 0;
        align-items: center; }
      dd { margin: 0; }
      kbd { font: 12px ui-monospace, Menlo, Consolas, monospace; padding: 1px 6px;
        border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px;
        background: var(--raised); margin-right: 3px; }
      .swatch { width: 26px; height: 14px; border-radius: 2px; border: 1px solid var(--of);
        background: var(--of); }
      .swatch.primary { --of: var(--primary); }
      .swatch.ok { --of: var(--ok); }
      .swatch.secondary { --of: var(--secondary); }
      .swatch.resync { --of: var(--resync); }
      .swatch.unknown { --of: var(--unknown); }
      .swatch.bad { --of: var(--bad); }
      .swatch.fence { --of: var(--fence); }
      .swatch.rising { background: repeating-linear-gradient(-45deg, var(--of) 0 3px,
        transparent 3px 6px); }
      .swatch.falling { background: repeating-linear-gradient(45deg, var(--of) 0 3px,
        transparent 3px 6px); }
      @media (max-width: 700px) { .columns { grid-template-columns: 1fr; } }
      canvas { width: 16px; height: 16px; display: block; }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);

  protected override render(): TemplateResult {
    void this.#watch;
    const { session } = this;
    const close = () => session.setHelp(false);
    return html`<dialog @close=${close} aria-label=${words(session, 'page.help')}>
      <div class="head">
        ${words(session, 'page.help')}
        <button class="icon" aria-label=${words(session, 'page.close')} @click=${close}>
          ${ICONS.close}
        </button>
      </div>
      <div class="columns">
        <div>
          <h2>${words(session, 'page.keys')}</h2>
          <dl>
            ${KEYS.map(
              ({ keys, code }) => html`<dt>
                  ${keys.map((key) => html`<kbd>${KEY_NAMES[key] ?? key}</kbd>`)}
                </dt>
                <dd>${words(session, code)}</dd>`,
            )}
          </dl>
          <p class="muted">${words(session, 'page.mouse-help')}</p>
        </div>
        <div>
          <h2>${words(session, 'page.shapes')}</h2>
          <dl>
            ${SHAPES.map(
              ([glyph, severity]) => html`<dt>${glyphIcon(session.theme, glyph, severity)}</dt>
                <dd>${words(session, `page.shape-${glyph}`)}</dd>`,
            )}
          </dl>
          <h2>${words(session, 'page.colours')}</h2>
          <dl>
            ${COLOURS.map(
              ([colour, hatch]) => html`<dt>
                  <div class="swatch ${colour} ${hatch}"></div>
                </dt>
                <dd>${words(session, `page.colour-${colour}`)}</dd>`,
            )}
          </dl>
        </div>
      </div>
    </dialog>`;
  }

  protected override updated(): void {
    const dialog = this.renderRoot.querySelector('dialog')!;
    if (this.session.helpOpen && !dialog.open) dialog.showModal();
    if (!this.session.helpOpen && dialog.open) dialog.close();
  }
}

customElements.define('key-help', KeyHelp);

declare global {
  interface HTMLElementTagNameMap {
    'key-help': KeyHelp;
  }
}
