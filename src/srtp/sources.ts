import { ReplayWindow } from "./replay-window.ts";

/** More than a peer that starts anew now and then ever has in one call. */
const SOURCES_MAX = 64;

/**
 * The replay windows of a session's sources, by SSRC. They are never forgotten while the keys are in
 * use: a forgotten source could be replayed. So their number is bounded, and one is added only for an
 * authentic packet.
 */
export class Sources {
  readonly #windows = new Map<number, ReplayWindow>();
  /** The last one asked for: nearly always the only one. */
  #lastSsrc = -1;
  #lastWindow: ReplayWindow = new ReplayWindow();
  /** What an unknown source is checked against; stays empty until one is added. */
  #fresh: ReplayWindow = new ReplayWindow();

  /** The window of `ssrc`; an empty one, not yet kept, where it is new. */
  windowOf(ssrc: number): ReplayWindow {
    if (ssrc === this.#lastSsrc) return this.#lastWindow;
    const window = this.#windows.get(ssrc);
    if (window === undefined) return this.#fresh;
    this.#lastSsrc = ssrc;
    this.#lastWindow = window;
    return window;
  }

  /** Whether an index of `ssrc` can be kept. */
  hasRoomFor(ssrc: number): boolean {
    return ssrc === this.#lastSsrc || this.#windows.has(ssrc) || this.#windows.size < SOURCES_MAX;
  }

  /** Notes an authentic packet of a source that there is room for. */
  accept(ssrc: number, index: number): void {
    const window = this.windowOf(ssrc);
    if (window === this.#fresh) {
      this.#windows.set(ssrc, window);
      this.#fresh = new ReplayWindow();
    }
    window.accept(index);
  }
}
