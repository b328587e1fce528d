import { type KnownSpeech, resample } from "../audio/index.ts";
import { type Codec, codecOf } from "../codec/index.ts";
import { type Random, randomInteger } from "../environment/index.ts";
import { trueEdges } from "./true-edges.ts";

/** A recorded sentence of one of the two voices. */
export interface Clip {
  readonly party: "caller" | "bot";
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

/** What is done to the audio between the speaker and the detector. */
export interface DialogueCondition {
  readonly sampleRateHz: 8000 | 16_000 | 24_000 | 48_000;
  readonly codec?: "PCMU" | "PCMA" | "G722" | "opus" | undefined;
  /** Active level of each sentence, drawn evenly from this range, in dBov. */
  readonly levelDbov: readonly [number, number];
  /** One level for all sentences of a dialogue, as an SNR only then means something. */
  readonly isEvenLevel?: boolean;
  readonly noise?: {
    readonly kind: "white" | "pink" | "babble" | "music" | "comfort";
    /** Active level of speech above the level of the noise. */
    readonly snrDb: number | readonly [number, number];
  };
  /** The other side's speech comes back: after so long, so much weaker. */
  readonly echo?: { readonly delayMs: number; readonly lossDb: number };
}

/** A sentence in a dialogue: first and last sample where its energy is within 35 dB of its peak. */
export interface SpokenSpan {
  readonly party: "caller" | "bot";
  readonly onsetMs: number;
  readonly offsetMs: number;
  /** Between which places the edges lie if sounds do not count that lie below the noise (`TrueEdge`). */
  readonly onsetWithinMs: readonly [number, number];
  readonly offsetWithinMs: readonly [number, number];
  /** The clean sentence. */
  readonly known: KnownSpeech;
}

/** A dialogue whose truth is known: caller left, bot right. */
export interface Dialogue {
  readonly sampleRateHz: number;
  readonly left: Int16Array;
  readonly right: Int16Array;
  /** The same before noise, echo and codec. */
  readonly cleanLeft: Int16Array;
  readonly cleanRight: Int16Array;
  readonly spans: readonly SpokenSpan[];
  /** Each side's speech comes back to it. */
  readonly hasEcho: boolean;
}

const LEAD_MS = 1200;
/** From long overlaps to long thoughts. */
const GAP_MS = [-400, 1500] as const;
/** Less between two sentences of one speaker is one sentence with a pause. */
const OWN_GAP_MS = 450;
const FIXTURE_LEVEL_DBOV = -20;

/** Builds a dialogue of `turns` sentences in turn, with random clips, gaps, overlaps and levels. */
export function makeDialogue(
  clips: readonly Clip[],
  condition: DialogueCondition,
  options: { readonly turns: number; readonly random: Random },
): Dialogue {
  const { turns, random } = options;
  const { sampleRateHz } = condition;
  const placed = place(clips, condition, { turns, random });
  const endMs = Math.max(
    ...placed.map(({ atMs, samples }) => atMs + lengthMs(samples, sampleRateHz)),
  );
  const length = Math.ceil(((endMs + LEAD_MS) * sampleRateHz) / 1000 / 960) * 960;
  const clean = { caller: new Float64Array(length), bot: new Float64Array(length) };
  const level = placed[0]?.levelDbov ?? FIXTURE_LEVEL_DBOV;
  const range = condition.noise?.snrDb ?? Infinity;
  const snrDb = typeof range === "number" ? range : between(range, random);
  const spans = placed.map((sentence) => {
    const at = Math.round((sentence.atMs * sampleRateHz) / 1000);
    const channel = clean[sentence.party];
    for (const [index, sample] of sentence.samples.entries()) {
      channel[at + index] = (channel[at + index] as number) + sample;
    }
    return spanOf(sentence, sampleRateHz, level - snrDb);
  });
  const heard = (own: Float64Array, other: Float64Array): Int16Array => {
    const mixed = own.slice();
    if (condition.echo !== undefined) addEcho(mixed, other, condition);
    addNoise(mixed, { clips, condition, level, snrDb, random });
    return throughCodec(toPcm(mixed), condition);
  };
  return {
    sampleRateHz,
    left: heard(clean.caller, clean.bot),
    right: heard(clean.bot, clean.caller),
    cleanLeft: toPcm(clean.caller),
    cleanRight: toPcm(clean.bot),
    spans,
    hasEcho: condition.echo !== undefined,
  };
}

interface Placed {
  readonly party: "caller" | "bot";
  readonly atMs: number;
  readonly levelDbov: number;
  readonly samples: Float64Array;
  /** The same at the level of the fixtures. */
  readonly clip: Int16Array;
}

function spanOf(
  { party, atMs, samples, clip }: Placed,
  sampleRateHz: number,
  noiseDbov: number,
): SpokenSpan {
  const { onset, offset } = trueEdges(samples, sampleRateHz, 32_768 ** 2 * 10 ** (noiseDbov / 10));
  const at = Math.round((atMs * sampleRateHz) / 1000);
  const ms = (sample: number): number => (sample * 1000) / sampleRateHz;
  return {
    party,
    onsetMs: ms(at + onset.at),
    offsetMs: ms(at + offset.at),
    onsetWithinMs: [ms(at + onset.outermost), ms(at + onset.innermost)],
    offsetWithinMs: [ms(at + offset.innermost), ms(at + offset.outermost)],
    known: { samples: clip, sampleRateHz, onsetMs: ms(onset.at), offsetMs: ms(offset.at) },
  };
}

function place(
  clips: readonly Clip[],
  { sampleRateHz, levelDbov, isEvenLevel }: DialogueCondition,
  { turns, random }: { readonly turns: number; readonly random: Random },
): Placed[] {
  const common = between(levelDbov, random);
  const ends = { caller: 0, bot: 0 };
  const placed: Placed[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const party = turn % 2 === 0 ? "caller" : "bot";
    const own = clips.filter((clip) => clip.party === party);
    const clip = own[randomInteger(random, own.length)] as Clip;
    const level = isEvenLevel === true ? common : between(levelDbov, random);
    const gain = 10 ** ((level - FIXTURE_LEVEL_DBOV) / 20);
    const pcm = resampledClip(clip, sampleRateHz);
    const samples = Float64Array.from(pcm, (sample) => sample * gain);
    const last = Math.max(ends.caller, ends.bot);
    const atMs = Math.max(
      LEAD_MS,
      turn === 0 ? LEAD_MS + between([0, 100], random) : last + between(GAP_MS, random),
      ends[party] + OWN_GAP_MS,
    );
    ends[party] = atMs + lengthMs(samples, sampleRateHz);
    placed.push({ party, atMs, levelDbov: level, samples, clip: pcm });
  }
  return placed;
}

const resampled = new WeakMap<Clip, Map<number, Int16Array>>();

/** Clips recur in every dialogue, and resampling costs more than all the rest. */
function resampledClip(clip: Clip, sampleRateHz: number): Int16Array {
  const known = resampled.get(clip) ?? new Map<number, Int16Array>();
  resampled.set(clip, known);
  const samples =
    known.get(sampleRateHz) ?? resample(clip.samples, clip.sampleRateHz, sampleRateHz);
  known.set(sampleRateHz, samples);
  return samples;
}

function between([low, high]: readonly [number, number], random: Random): number {
  return low + (high - low) * random();
}

function lengthMs(samples: ArrayLike<number>, sampleRateHz: number): number {
  return (samples.length * 1000) / sampleRateHz;
}

function addEcho(mixed: Float64Array, other: Float64Array, condition: DialogueCondition): void {
  const { delayMs, lossDb } = condition.echo ?? { delayMs: 0, lossDb: 0 };
  const delay = Math.round((delayMs * condition.sampleRateHz) / 1000);
  const gain = 10 ** (-lossDb / 20);
  for (let index = delay; index < mixed.length; index += 1) {
    mixed[index] = (mixed[index] as number) + gain * (other[index - delay] as number);
  }
}

interface NoiseSetting {
  readonly clips: readonly Clip[];
  readonly condition: DialogueCondition;
  readonly level: number;
  readonly snrDb: number;
  readonly random: Random;
}

function addNoise(mixed: Float64Array, setting: NoiseSetting): void {
  const { noise } = setting.condition;
  if (noise === undefined) return;
  const made = NOISES[noise.kind](mixed.length, setting);
  const power = made.reduce((sum, sample) => sum + sample * sample, 0) / made.length;
  const wanted = 32_768 * 10 ** ((setting.level - setting.snrDb) / 20);
  const gain = wanted / Math.sqrt(power);
  for (let index = 0; index < mixed.length; index += 1) {
    mixed[index] = (mixed[index] as number) + gain * (made[index] as number);
  }
}

type MakeNoise = (length: number, setting: NoiseSetting) => Float64Array;

const NOISES: Readonly<Record<NonNullable<DialogueCondition["noise"]>["kind"], MakeNoise>> = {
  white,
  comfort: white,
  pink,
  babble,
  music,
};

function white(length: number, { random }: NoiseSetting): Float64Array {
  return Float64Array.from({ length }, () => gaussian(random));
}

/** Kellet's filter of white noise: −3 dB per octave to within 0.05 dB over the telephone's band. */
function pink(length: number, setting: NoiseSetting): Float64Array {
  const poles = [0.998_86, 0.993_32, 0.969, 0.866_5, 0.55, -0.761_6];
  const gains = [0.055_517_9, 0.075_075_9, 0.153_852, 0.310_485_6, 0.532_952_2, -0.016_898];
  const state = new Float64Array(poles.length);
  let last = 0;
  return white(length, setting).map((sample) => {
    let sum = sample * 0.536_2 + last;
    for (const [index, pole] of poles.entries()) {
      state[index] = pole * (state[index] as number) + (gains[index] as number) * sample;
      sum += state[index] ?? 0;
    }
    last = sample * 0.115_926;
    return sum;
  });
}

/** Eight talkers at once, each saying one sentence after the other. */
function babble(length: number, { clips, condition, random }: NoiseSetting): Float64Array {
  const sum = new Float64Array(length);
  for (let talker = 0; talker < 8; talker += 1) {
    let at = -randomInteger(random, 2 * condition.sampleRateHz);
    while (at < length) {
      const clip = clips[randomInteger(random, clips.length)] as Clip;
      const pcm = resampledClip(clip, condition.sampleRateHz);
      const end = Math.min(length, at + pcm.length);
      for (let index = Math.max(0, at); index < end; index += 1) {
        sum[index] = (sum[index] as number) + (pcm[index - at] as number);
      }
      at += pcm.length;
    }
  }
  return sum;
}

/** Music on hold: chords of a new key every half second, each note with overtones, dying away. */
function music(length: number, { condition, random }: NoiseSetting): Float64Array {
  const rate = condition.sampleRateHz;
  const sum = new Float64Array(length);
  const noteSamples = rate / 2;
  for (let start = 0; start < length; start += noteSamples) {
    const root = 220 * 2 ** (randomInteger(random, 12) / 12);
    for (const ratio of [1, 1.26, 1.498]) {
      for (let index = 0; index < noteSamples * 1.5 && start + index < length; index += 1) {
        const decay = Math.exp((-2.5 * index) / rate) * Math.min(1, index / (0.01 * rate));
        const phase = (2 * Math.PI * root * ratio * index) / rate;
        sum[start + index] =
          (sum[start + index] as number) +
          decay * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.25 * Math.sin(3 * phase));
      }
    }
  }
  return sum;
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function toPcm(samples: Float64Array): Int16Array {
  return Int16Array.from(samples, (sample) =>
    Math.max(-32_768, Math.min(32_767, Math.round(sample))),
  );
}

/** Encoded and decoded in packets of 20 ms, and shifted back by the codec's own delay. */
function throughCodec(samples: Int16Array, { codec, sampleRateHz }: DialogueCondition): Int16Array {
  if (codec === undefined) return samples;
  const used: Codec = codecOf(codec);
  const atRate = resample(samples, sampleRateHz, used.sampleRateHz);
  const encoder = used.createEncoder({ ptimeMs: 20 });
  const decoder = used.createDecoder();
  const frame = used.sampleRateHz / 50;
  const output = new Int16Array(atRate.length);
  const payload = new Uint8Array(1500);
  for (let at = 0; at + frame <= atRate.length; at += frame) {
    const bytes = encoder.encode(atRate.subarray(at, at + frame), payload);
    decoder.decode(payload.subarray(0, bytes), output.subarray(at, at + frame));
  }
  const lookahead = Math.round((encoder.lookaheadMs * used.sampleRateHz) / 1000);
  encoder.release();
  decoder.release();
  output.copyWithin(0, lookahead);
  output.fill(0, output.length - lookahead);
  return resample(output, used.sampleRateHz, sampleRateHz);
}
