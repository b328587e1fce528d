/** A piece of the continuous playout axis; `durationTicks` of it. */
export type PlayoutPiece = PacketPiece | LostPiece | SilencePiece;

/** A packet, whole. */
export interface PacketPiece {
  readonly kind: "packet";
  /** Valid until the next call of the buffer. */
  readonly payload: Uint8Array;
  readonly payloadType: number;
  readonly timestamp: number;
  /** 0 for comfort noise: it describes the silence that follows. */
  readonly durationTicks: number;
  /** Of the silence handed out before it, what turns out to have been lost audio. */
  readonly missedTicks: number;
}

/** Audio was sent for this time, as far as one can know, and is not here: conceal. */
export interface LostPiece {
  readonly kind: "lost";
  readonly durationTicks: number;
  /**
   * The payload right after this piece, which may carry it again (forward error correction). Then
   * the piece is the one packet before it, whole, however little was asked for. Valid until the
   * next call of the buffer.
   */
  readonly next?: Uint8Array | undefined;
  /** Of `next`. */
  readonly nextPayloadType?: number | undefined;
}

/** Nothing is due: before the start, in a pause of the sender, during a telephone event. */
export interface SilencePiece {
  readonly kind: "silence";
  readonly durationTicks: number;
}

type Writable<Piece> = { -readonly [Key in keyof Piece]: Piece[Key] };

const EMPTY = new Uint8Array(0);

/** The pieces of one buffer, written anew for each call, so that none allocates. */
export class PlayoutPieces {
  readonly #packet: Writable<PacketPiece> = {
    kind: "packet",
    payload: EMPTY,
    payloadType: 0,
    timestamp: 0,
    durationTicks: 0,
    missedTicks: 0,
  };
  readonly #lost: Writable<LostPiece> = {
    kind: "lost",
    durationTicks: 0,
    next: undefined,
    nextPayloadType: undefined,
  };
  readonly #silence: Writable<SilencePiece> = { kind: "silence", durationTicks: 0 };

  packet(
    from: { readonly payloadType: number; readonly timestamp: number; durationTicks: number },
    payload: Uint8Array,
    missedTicks: number,
  ): PlayoutPiece {
    this.#packet.payload = payload;
    this.#packet.missedTicks = missedTicks;
    this.#packet.payloadType = from.payloadType;
    this.#packet.timestamp = from.timestamp;
    this.#packet.durationTicks = from.durationTicks;
    return this.#packet;
  }

  lost(durationTicks: number, next?: Uint8Array, nextPayloadType?: number): PlayoutPiece {
    this.#lost.durationTicks = durationTicks;
    this.#lost.next = next;
    this.#lost.nextPayloadType = nextPayloadType;
    return this.#lost;
  }

  silence(durationTicks: number): PlayoutPiece {
    this.#silence.durationTicks = durationTicks;
    return this.#silence;
  }
}
