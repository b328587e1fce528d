import { after, type Clock, type Instant, type SocketAddress } from "../environment/index.ts";
import type { OutgoingMessage } from "./channel.ts";
import { hostPortText } from "./sip-uri.ts";

/** RFC 3261 §18.1.1, where the path's MTU is not known. */
const UDP_REQUEST_BYTES_MAX = 1300;
/** How long a peer that refused TCP for a large request is not asked again. */
const WITHOUT_TCP_MS = 300_000;
const WITHOUT_TCP_LIMIT = 256;

/** Which requests go by TCP although UDP was meant: those that might be fragmented. */
export class LargeRequests {
  readonly #clock: Clock;
  readonly #mayUseTcp: boolean;
  readonly #withoutTcp = new Map<string, Instant>();

  constructor(clock: Clock, mayUseTcp: boolean) {
    this.#clock = clock;
    this.#mayUseTcp = mayUseTcp;
  }

  /** RFC 3261 §18.1.1: the large ones, unless the peer has no TCP. */
  goesByTcp({ peek, text }: OutgoingMessage, target: SocketAddress): boolean {
    if (peek.statusCode !== undefined || !this.#mayUseTcp) return false;
    if (text.length * 3 <= UDP_REQUEST_BYTES_MAX) return false;
    const isLarge = new TextEncoder().encode(text).length > UDP_REQUEST_BYTES_MAX;
    const until = this.#withoutTcp.get(hostPortText(target));
    return isLarge && (until === undefined || until <= this.#clock.now());
  }

  /** The peer takes no TCP. */
  noteRefused(target: SocketAddress): void {
    if (this.#withoutTcp.size >= WITHOUT_TCP_LIMIT) this.#withoutTcp.clear();
    this.#withoutTcp.set(hostPortText(target), after(this.#clock.now(), WITHOUT_TCP_MS));
  }
}
