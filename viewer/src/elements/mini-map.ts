/** The whole run in small, with the window on it: drag it, or press elsewhere to go there. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { PALETTES } from '../base/palette.ts';
import { drawMinimap, MINIMAP_HEIGHT } from '../draw/minimap.ts';
import { toTime } from '../draw/plot.ts';
import type { View } from '../model/lod.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { words } from './words.ts';

export class MiniMap extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: block; height: 40px; position: relative; }
      canvas { width: 100%; height: 100%; display: block; cursor: grab; touch-action: none; }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);
  #width = 0;
  #frame = 0;
  /** Where in the window it was taken hold of, in microseconds from its middle; else null. */
  #grip: number | null = null;
  #resizing = new ResizeObserver(() => this.#measure());

  override firstUpdated(): void {
    this.#resizing.observe(this);
    this.#measure();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizing.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  protected override render(): TemplateResult {
    void this.#watch;
    return html`<canvas role="img" aria-label=${words(this.session, 'page.minimap')}
      @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up}></canvas>`;
  }

  protected override updated(): void {
    this.#request();
  }

  /** Asks for one frame; a pending one is kept. */
  #request(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  get #canvas(): HTMLCanvasElement {
    return this.renderRoot.querySelector('canvas')!;
  }

  get #view(): View {
    const { run } = this.session;
    const to = Math.max(run.end, run.start + 1000);
    return { from: run.start, to: to + (to - run.start) / 1000, width: Math.max(1, this.#width) };
  }

  #measure(): void {
    this.#width = this.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(this.#width * ratio);
    this.#canvas.height = Math.round(MINIMAP_HEIGHT * ratio);
    this.#canvas.getContext('2d')!.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#request();
  }

  #draw(): void {
    const { session } = this;
    const { run, match } = session;
    drawMinimap(this.#canvas.getContext('2d')!, {
      view: this.#view,
      all: match.all,
      serving: run.lanes.list.find((lane) => lane.kind === 'owner')?.bars[0],
      window: session.window,
      cursor: session.cursor,
      palette: PALETTES[session.theme],
    });
  }

  #down(event: PointerEvent): void {
    this.#canvas.setPointerCapture(event.pointerId);
    const { from, to } = this.session.window;
    const time = toTime(this.#view, event.offsetX);
    this.#grip = time >= from && time <= to ? time - (from + to) / 2 : 0;
    this.#move(event);
  }

  #move(event: PointerEvent): void {
    if (this.#grip === null) return;
    const { from, to } = this.session.window;
    const middle = toTime(this.#view, event.offsetX) - this.#grip;
    this.session.setFollow(false);
    this.session.setWindow({ from: middle - (to - from) / 2, to: middle + (to - from) / 2 });
  }

  #up(): void {
    this.#grip = null;
  }
}

customElements.define('mini-map', MiniMap);

declare global {
  interface HTMLElementTagNameMap {
    'mini-map': MiniMap;
  }
}
