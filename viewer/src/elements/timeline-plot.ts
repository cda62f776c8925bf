/** The lanes: names at the left, the picture at the right, and what hand and wheel do on it. */
import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { duration } from '../base/format.ts';
import { PALETTES } from '../base/palette.ts';
import { type Geometry, geometryOf, type Row, RULER_HEIGHT, rowAt } from '../draw/geometry.ts';
import { GLYPH_CELL } from '../draw/glyphs.ts';
import { drawOverlay } from '../draw/overlay.ts';
import { Hatches } from '../draw/pen.ts';
import { drawPlot, toTime } from '../draw/plot.ts';
import type { Lane } from '../model/lanes.ts';
import type { View } from '../model/lod.ts';
import { NOBODY } from '../model/servers.ts';
import type { Track, TrackValue } from '../model/tracks.ts';
import { walkBack } from '../model/why.ts';
import type { Session } from '../session.ts';
import { elementStyle } from './element-style.ts';
import { Watch } from './watch.ts';
import { laneTitle, sentence, stateWords, words } from './words.ts';

/** Pointer travel in pixels that makes a press a drag. */
const DRAG_MIN = 4;

/** Where a press began, and the window it began with. */
interface Press {
  readonly x: number;
  readonly y: number;
  readonly from: number;
  readonly to: number;
  moved: boolean;
}

export class TimelinePlot extends LitElement {
  static override properties = { session: { attribute: false } };
  static override styles = [
    elementStyle,
    css`
      :host { display: grid; grid-template-columns: 168px minmax(0, 1fr); min-height: 0;
        position: relative; background: var(--ground); }
      .names { overflow: hidden; position: relative; border-right: 1px solid var(--line);
        background: var(--panel); }
      .corner { height: 26px; border-bottom: 1px solid var(--line); padding: 4px 10px;
        position: relative; z-index: 1; background: var(--panel); font-size: 11px; }
      .list { position: relative; margin: 0; padding: 0; list-style: none; }
      li { position: absolute; left: 0; right: 0; padding: 5px 10px 0; overflow: hidden;
        border-bottom: 1px solid var(--line); }
      li.volume { padding-left: 22px; }
      li.chosen { background: var(--raised); }
      .title { display: block; line-height: 15px; font-weight: 600; white-space: nowrap;
        overflow: hidden; text-overflow: ellipsis; }
      li.volume .title { font-weight: 500; }
      .attributes { display: block; font-size: 11px; line-height: 17px; color: var(--muted); }
      .plot { position: relative; min-width: 0; min-height: 0; overflow: hidden; }
      canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
      .over { cursor: crosshair; touch-action: none; }
      .over.dragging { cursor: grabbing; }
      .tip { position: absolute; z-index: 2; pointer-events: none; max-width: 360px;
        padding: 5px 9px; border-radius: 6px; background: var(--raised);
        border: 1px solid var(--line); box-shadow: 0 4px 14px rgb(0 0 0 / 0.35); font-size: 12px; }
      .tip[hidden] { display: none; }
      .scroll { position: absolute; right: 0; top: 26px; width: 6px; border-radius: 3px;
        background: var(--faint); opacity: 0.6; }
    `,
  ];

  declare session: Session;
  #watch = new Watch(this);
  #geometry: Geometry = { rows: [], height: 0 };
  #lanes: readonly Lane[] = [];
  #hatches = new Hatches();
  #theme = '';
  #size = { width: 0, height: 0 };
  #scroll = 0;
  #hover = { x: -1, y: -1 };
  #press: Press | null = null;
  #frame = 0;
  #resizing = new ResizeObserver(() => this.#measure());

  override firstUpdated(): void {
    this.#resizing.observe(this.#canvas('plot').parentElement!);
    const over = this.#canvas('over');
    // Lit's listeners are passive for wheel in some browsers; zooming must not scroll the page.
    over.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    const names = this.renderRoot.querySelector<HTMLElement>('.names')!;
    names.addEventListener('wheel', (event) => this.#scrollTo(this.#scroll + event.deltaY), {
      passive: true,
    });
    this.#measure();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizing.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  protected override willUpdate(_changes: PropertyValues): void {
    void this.#watch;
    const { list } = this.session.run.lanes;
    if (list === this.#lanes) return;
    this.#lanes = list;
    this.#geometry = geometryOf(list);
  }

  protected override render(): TemplateResult {
    return html`
      <div class="names">
        <div class="corner muted">${words(this.session, 'page.lanes')}</div>
        <ul class="list" aria-label=${words(this.session, 'page.lanes')}>
          ${this.#geometry.rows.map((row) => this.#name(row))}
        </ul>
      </div>
      <div class="plot">
        <canvas id="plot"></canvas>
        <canvas id="over" class="over" tabindex="0" role="img"
          aria-label=${words(this.session, 'page.plot-label')}
          @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up}
          @pointerleave=${this.#leave} @dblclick=${this.#near}></canvas>
        <div class="scroll" hidden></div>
        <div class="tip" role="status" hidden></div>
      </div>`;
  }

  #name(row: Row): TemplateResult {
    const { lane } = row;
    const { session } = this;
    const chosen = session.selected >= 0 && session.run.lane(session.selected) === lane;
    return html`<li class="${lane.kind} ${chosen ? 'chosen' : ''}" data-lane=${lane.id}>
      <span class="title">${laneTitle(session, lane)}</span>
      ${
        lane.kind === 'volume' || lane.kind === 'node'
          ? lane.bars.slice(1).map(
              ({ attribute }) => html`<span class="attributes">
              ${words(session, `page.attribute-${attribute}`)}
            </span>`,
            )
          : ''
      }
    </li>`;
  }

  protected override updated(): void {
    this.#placeNames();
    this.#request();
  }

  /** Positions go through the style object: the page's policy forbids style attributes. */
  #placeNames(): void {
    const items = this.renderRoot.querySelectorAll<HTMLElement>('li');
    this.#geometry.rows.forEach((row, index) => {
      const item = items[index];
      if (item === undefined) return;
      item.style.top = `${row.top - this.#scroll}px`;
      item.style.height = `${row.height}px`;
    });
  }

  /** Asks for one frame. A pending one is kept: putting it off at each change would starve it. */
  #request(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  get #view(): View {
    const { from, to } = this.session.window;
    return { from, to, width: Math.max(1, this.#size.width) };
  }

  #draw(): void {
    const { session } = this;
    const { width, height } = this.#size;
    if (width === 0) return;
    const palette = PALETTES[session.theme];
    if (this.#theme !== session.theme) {
      this.#theme = session.theme;
      this.#hatches = new Hatches();
    }
    const { run } = session;
    drawPlot(this.#pen('plot'), {
      view: this.#view,
      height,
      scroll: this.#scroll,
      geometry: this.#geometry,
      palette,
      hatches: this.#hatches,
      kinds: run.kinds,
      all: run.all,
      events: (lane) => session.match.lane(lane.index),
      words: (track, value, length) => this.#barWords(track, value, length),
      end: session.source.kind === 'live' ? Math.max(run.end, session.now()) : run.end,
    });
    drawOverlay(this.#pen('over'), {
      view: this.#view,
      height,
      scroll: this.#scroll,
      geometry: this.#geometry,
      palette,
      run,
      cursor: session.cursor,
      hover: this.#hover.x,
      selected: session.selected,
      walk: session.walkFrom >= 0 ? walkBack(run, session.walkFrom).steps : [],
    });
    this.#placeScroll(height);
  }

  /** How long nobody served is what a reader wants to know first. */
  #barWords(track: Track, value: TrackValue, length: number): readonly string[] {
    const name = stateWords(this.session, track.attribute, value);
    if (value !== NOBODY) return [name];
    const span = duration(length);
    return [`${name} · ${span}`, span];
  }

  #placeScroll(height: number): void {
    const bar = this.renderRoot.querySelector<HTMLElement>('.scroll')!;
    const room = height - RULER_HEIGHT;
    bar.hidden = this.#geometry.height <= room;
    if (bar.hidden) return;
    bar.style.height = `${(room * room) / this.#geometry.height}px`;
    bar.style.top = `${RULER_HEIGHT + (this.#scroll * room) / this.#geometry.height}px`;
  }

  #measure(): void {
    const canvas = this.#canvas('plot');
    const { clientWidth: width, clientHeight: height } = canvas.parentElement!;
    if (width === this.#size.width && height === this.#size.height) return;
    this.#size = { width, height };
    const ratio = window.devicePixelRatio || 1;
    for (const id of ['plot', 'over'] as const) {
      const one = this.#canvas(id);
      one.width = Math.round(width * ratio);
      one.height = Math.round(height * ratio);
      this.#pen(id).setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    this.#scrollTo(this.#scroll);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const { session } = this;
    if (event.altKey) this.#scrollTo(this.#scroll + event.deltaY);
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      session.pan((event.deltaX || event.deltaY) / this.#size.width);
    } else {
      const about = toTime(this.#view, event.offsetX);
      session.zoom(Math.exp(Math.max(-240, Math.min(240, event.deltaY)) / 400), about);
    }
  }

  #scrollTo(to: number): void {
    const room = Math.max(0, this.#geometry.height - this.#size.height + RULER_HEIGHT);
    this.#scroll = Math.max(0, Math.min(room, to));
    this.#placeNames();
    this.#request();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#canvas('over').setPointerCapture(event.pointerId);
    const { from, to } = this.session.window;
    this.#press = { x: event.offsetX, y: event.offsetY, from, to, moved: false };
    if (event.offsetY < RULER_HEIGHT) this.#scrub(event.offsetX);
  }

  #move(event: PointerEvent): void {
    this.#hover = { x: event.offsetX, y: event.offsetY };
    const press = this.#press;
    if (press === null) this.#showTip();
    else if (press.y < RULER_HEIGHT) this.#scrub(event.offsetX);
    else this.#drag(press, event);
    this.#request();
  }

  #drag(press: Press, event: PointerEvent): void {
    const by = event.offsetX - press.x;
    press.moved ||= Math.abs(by) + Math.abs(event.offsetY - press.y) > DRAG_MIN;
    if (!press.moved) return;
    this.#canvas('over').classList.add('dragging');
    const time = (by / this.#size.width) * (press.to - press.from);
    this.session.setFollow(false);
    this.session.setWindow({ from: press.from - time, to: press.to - time });
    this.#scrollTo(this.#scroll - event.movementY);
  }

  #up(event: PointerEvent): void {
    const press = this.#press;
    this.#press = null;
    this.#canvas('over').classList.remove('dragging');
    if (press === null || press.moved || press.y < RULER_HEIGHT) return;
    const ref = this.#hit(event.offsetX, event.offsetY);
    if (ref >= 0) this.session.select(ref);
    else this.session.setCursor(toTime(this.#view, event.offsetX));
    this.#canvas('over').focus();
  }

  #leave(): void {
    this.#hover = { x: -1, y: -1 };
    this.renderRoot.querySelector<HTMLElement>('.tip')!.hidden = true;
    this.#request();
  }

  #near(event: MouseEvent): void {
    this.session.zoom(0.4, toTime(this.#view, event.offsetX));
  }

  #scrub(x: number): void {
    this.session.play(false);
    this.session.setCursor(toTime(this.#view, Math.max(0, Math.min(this.#size.width, x))));
  }

  /** The event under the pointer: the worst glyph near it, or what made a bar's state so. */
  #hit(x: number, y: number): number {
    if (y < RULER_HEIGHT) return -1;
    const found = rowAt(this.#geometry, y - RULER_HEIGHT + this.#scroll);
    if (found === null) return -1;
    const view = this.#view;
    if (found.bar >= 0) return found.row.lane.bars[found.bar]!.sourceAt(toTime(view, x));
    const series = this.session.match.lane(found.row.lane.index);
    const reach = GLYPH_CELL / 2 + 2;
    const from = series.lowerBound(toTime(view, x - reach));
    const point = series.worstIndex(from, series.lowerBound(toTime(view, x + reach), from));
    return point < 0 ? -1 : series.refs[point]!;
  }

  #showTip(): void {
    const tip = this.renderRoot.querySelector<HTMLElement>('.tip')!;
    const { x, y } = this.#hover;
    const ref = this.#hit(x, y);
    tip.hidden = ref < 0;
    if (ref < 0) return;
    tip.textContent = sentence(this.session, ref);
    const right = x > this.#size.width - 380;
    tip.style.left = right ? '' : `${x + 14}px`;
    tip.style.right = right ? `${this.#size.width - x + 14}px` : '';
    tip.style.top = `${Math.min(y + 14, this.#size.height - 48)}px`;
  }

  #canvas(id: 'plot' | 'over'): HTMLCanvasElement {
    return this.renderRoot.querySelector<HTMLCanvasElement>(`#${id}`)!;
  }

  #pen(id: 'plot' | 'over'): CanvasRenderingContext2D {
    return this.#canvas(id).getContext('2d')!;
  }
}

customElements.define('timeline-plot', TimelinePlot);

declare global {
  interface HTMLElementTagNameMap {
    'timeline-plot': TimelinePlot;
  }
}
