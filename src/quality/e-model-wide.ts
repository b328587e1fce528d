import type { Rating } from "./e-model.ts";
import { delayImpairment } from "./e-model-delay.ts";
import { lossImpairment, mosOfRating, type PacketLoss } from "./e-model-scale.ts";

/** What of a wideband or full-band connection is rated. Echo is taken as cancelled. */
export interface WideConnection extends PacketLoss {
  /** Absolute one-way delay mouth to ear, Ta; default 0. */
  readonly delayMs?: number;
  /** Ie,WB or Ie,FB of the codec (G.113 Appendices IV and V); default 0. */
  readonly equipmentImpairment?: number;
}

/** R of a wideband connection without any impairment (G.107.1 (7-2)). */
const WIDEBAND_MAX = 129;
/** The same of a full-band one (G.107.2 §7.2). */
const FULLBAND_MAX = 148;
/** What total loss costs on the full-band scale (G.107.2 §7.5). */
const FULLBAND_LOSS_MAX = 132;

/**
 * The rating of a wideband connection (50–7,000 Hz): ITU-T G.107.1 (06/2019, Cor. 1). Loudness,
 * noise and simultaneous impairments are not modelled there (Is,WB = 0); burstiness is taken from
 * G.107, because G.107.1 knows random loss only.
 */
export function rateWideband(connection: WideConnection): Rating {
  return rate(connection, WIDEBAND_MAX, 95);
}

/** The rating of a full-band connection (20–20,000 Hz): ITU-T G.107.2. */
export function rateFullband(connection: WideConnection): Rating {
  return rate(connection, FULLBAND_MAX, FULLBAND_LOSS_MAX);
}

/** The delay term is that of G.107 stretched to the longer scale; so is the opinion read off it. */
function rate(connection: WideConnection, best: number, lossMost: number): Rating {
  const stretch = best / 100;
  const r =
    best -
    stretch * delayImpairment(connection.delayMs ?? 0) -
    lossImpairment(connection.equipmentImpairment ?? 0, connection, lossMost);
  return { r, mos: mosOfRating(r / stretch) };
}
