import { delayImpairment, talkerEchoImpairment } from "./e-model-delay.ts";
import { lossImpairment, mosOfRating, type PacketLoss } from "./e-model-scale.ts";

/** What of a narrow-band connection the E-model asks for; all have G.107's defaults (its Table 2). */
export interface NarrowbandConnection extends PacketLoss {
  /** Mean one-way delay of the echo path, T; default 0. */
  readonly echoDelayMs?: number;
  /** Absolute one-way delay mouth to ear, Ta; default 0. */
  readonly delayMs?: number;
  /** Round trip in the four-wire loop, Tr; default 0. */
  readonly roundTripMs?: number;
  /** Equipment impairment of the codec, Ie (G.113); default 0. */
  readonly equipmentImpairment?: number;
  /** TELR; default 65 dB. */
  readonly talkerEchoLoudnessRatingDb?: number;
  /** WEPL; default 110 dB. */
  readonly weightedEchoPathLossDb?: number;
  /** Quantising distortion units; default 1: one pair of G.711 coders. */
  readonly quantisingDistortionUnits?: number;
  /** Nc; default −70 dBm0p. */
  readonly circuitNoiseDbm0p?: number;
  /** Ps and Pr; default 35 dB(A). */
  readonly roomNoiseDba?: number;
  /** Advantage of access, A; default 0. */
  readonly advantage?: number;
}

/** A rating of the E-model and the mean opinion that it stands for. Always an estimate. */
export interface Rating {
  /** Transmission rating: to 100 (G.107), 129 (G.107.1) or 148 (G.107.2). */
  readonly r: number;
  /** MOS-CQE on the listening scale of that model: 1 to 4.5. */
  readonly mos: number;
}

// Defaults of G.107 (06/2015) Table 2 that nothing in a call tells of: two telephones.
const SLR = 8;
const RLR = 2;
const STMR = 15;
const DS = 3;
const DR = 3;
const LSTR = STMR + DR;
const NOISE_FLOOR_RECEIVE = -64;

/** The rating of a narrow-band connection: ITU-T G.107 (06/2015) in full. */
export function rateNarrowband(connection: NarrowbandConnection): Rating {
  const noise = noiseOf(connection);
  const basic = 15 - 1.5 * (SLR + noise); // (7-2)
  const rating =
    basic -
    simultaneousImpairment(connection, { basic, noise }) -
    delayImpairments(connection, { basic, noise }) -
    lossImpairment(connection.equipmentImpairment ?? 0, connection, 95) + // (7-29)
    (connection.advantage ?? 0);
  return { r: rating, mos: mosOfRating(rating) };
}

interface Basics {
  readonly basic: number;
  readonly noise: number;
}

/** No: the powers of circuit, room and floor noise, (7-3) to (7-7). */
function noiseOf(connection: NarrowbandConnection): number {
  const room = connection.roomNoiseDba ?? 35;
  const overall = SLR + RLR;
  const sendRoom = room - SLR - DS - 100 + 0.004 * (room - overall - DS - 14) ** 2;
  const effectiveRoom = room + 10 * Math.log10(1 + 10 ** ((10 - LSTR) / 10));
  const receiveRoom = RLR - 121 + effectiveRoom + 0.008 * (effectiveRoom - 35) ** 2;
  const floor = NOISE_FLOOR_RECEIVE + RLR;
  const powers = [connection.circuitNoiseDbm0p ?? -70, sendRoom, receiveRoom, floor];
  return 10 * Math.log10(powers.reduce((sum, level) => sum + 10 ** (level / 10), 0));
}

/** Is: too loud, unfit sidetone, quantising distortion, (7-8) to (7-18). */
function simultaneousImpairment(
  connection: NarrowbandConnection,
  { basic, noise }: Basics,
): number {
  const loudness = SLR + RLR + 0.2 * (64 + noise - RLR);
  const tooLoud = 20 * ((1 + (loudness / 8) ** 8) ** (1 / 8) - loudness / 8);
  const q = 37 - 15 * Math.log10(connection.quantisingDistortionUnits ?? 1);
  const g = 1.07 + 0.258 * q + 0.0602 * q * q;
  const y = (basic - 100) / 15 + 46 / 8.4 - g / 9;
  const z = 46 / 30 - g / 40;
  const quantising = 15 * Math.log10(1 + 10 ** y + 10 ** z);
  return tooLoud + sidetoneImpairment(connection) + quantising;
}

function sidetoneImpairment(connection: NarrowbandConnection): number {
  const telr = connection.talkerEchoLoudnessRatingDb ?? 65;
  const echo = Math.exp(-(connection.echoDelayMs ?? 0) / 4) * 10 ** (-telr / 10);
  const sidetone = -10 * Math.log10(10 ** (-STMR / 10) + echo);
  return (
    12 * (1 + ((sidetone - 13) / 6) ** 8) ** (1 / 8) -
    28 * (1 + ((sidetone + 1) / 19.4) ** 35) ** (1 / 35) -
    13 * (1 + ((sidetone - 3) / 33) ** 13) ** (1 / 13) +
    29
  );
}

/** Id = Idte + Idle + Idd, (7-19). */
function delayImpairments(connection: NarrowbandConnection, { basic, noise }: Basics): number {
  const talkerEcho = talkerEchoImpairment({
    echoDelayMs: connection.echoDelayMs ?? 0,
    telrDb: connection.talkerEchoLoudnessRatingDb ?? 65,
    echoRating: -1.5 * (noise - RLR), // Roe, (7-21)
  });
  const wepl = connection.weightedEchoPathLossDb ?? 110;
  const listener = 10.5 * (wepl + 7) * ((connection.roundTripMs ?? 0) + 1) ** -0.25;
  const half = (basic - listener) / 2;
  const listenerEcho = half + Math.sqrt(half * half + 169); // (7-25)
  return talkerEcho + listenerEcho + delayImpairment(connection.delayMs ?? 0);
}
