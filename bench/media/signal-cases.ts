/** Resamplers, SRTP, telephone keys and comfort noise. */
import { DtmfToneDetector, Resampler } from "../../src/audio/index.ts";
import { ComfortNoiseAnalyser, ComfortNoiseGenerator } from "../../src/codec/index.ts";
import { NodeCryptography } from "../../src/platform/index.ts";
import { encodeRtp } from "../../src/rtp/index.ts";
import { generateKeys, SrtpReceiver, SrtpSender, type SrtpSuite } from "../../src/srtp/index.ts";
import type { MicroCase } from "./micro.ts";
import { voiceLike } from "./voice-like.ts";

const RATES = [
  [8000, 24_000],
  [24_000, 8000],
  [16_000, 24_000],
  [24_000, 16_000],
  [24_000, 48_000],
  [48_000, 24_000],
] as const;
/** SRTP packets made in advance: a receiver takes each of them once only. */
const PACKETS = 20_000;
const PAYLOAD = new Uint8Array(160).fill(0x55);

export function resamplerCases(): MicroCase[] {
  return RATES.flatMap(([fromHz, toHz]) => {
    const name = `resample ${fromHz / 1000} → ${toHz / 1000} kHz`;
    const input = voiceLike(fromHz, fromHz / 50);
    const caseOf = (simd: boolean): MicroCase["run"] => {
      const resampler = new Resampler({ fromHz, toHz, simd });
      const output = new Int16Array(resampler.outputLength(input.length));
      return () => void resampler.process(input, output);
    };
    return [
      { name: `${name}, scalar`, run: caseOf(false) },
      { name: `${name}, SIMD`, against: `${name}, scalar`, run: caseOf(true) },
    ];
  });
}

export function protectionCases(suite: SrtpSuite): MicroCase[] {
  const cryptography = new NodeCryptography();
  const keys = generateKeys(suite, cryptography);
  const sender = new SrtpSender(keys, cryptography);
  const packet = new Uint8Array(172);
  const output = new Uint8Array(300);
  let sequence = 0;
  const protect = (): number => {
    sequence += 1;
    encodeRtp({ ...HEADER, sequenceNumber: sequence & 0xffff }, PAYLOAD, packet);
    return sender.protectRtp(packet, output);
  };
  return [
    { name: `SRTP protect ${suite}`, run: () => void protect() },
    { name: `SRTP unprotect ${suite}`, run: unprotecting(keys, cryptography) },
  ];
}

export function signalCases(): MicroCase[] {
  const sampleRateHz = 8000;
  const speech = voiceLike(sampleRateHz, 160);
  const detector = new DtmfToneDetector({ sampleRateHz });
  const analyser = new ComfortNoiseAnalyser({ sampleRateHz });
  let seed = 1;
  const random = (): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  const generator = new ComfortNoiseGenerator({ sampleRateHz, random });
  generator.update(new Uint8Array([50, 100, 120, 130]));
  const noise = new Int16Array(160);
  const idle = new DtmfToneDetector({ sampleRateHz: 8000 });
  const silence = new Int16Array(160);
  return [
    { name: "DTMF detector, 8 kHz speech", run: () => detector.handleSamples(speech) },
    { name: "DTMF detector, digital silence", run: () => idle.handleSamples(silence) },
    { name: "comfort noise, analysed", run: () => analyser.analyse(speech) },
    { name: "comfort noise, generated", run: () => generator.generate(noise) },
  ];
}

const HEADER = { marker: false, payloadType: 0, timestamp: 0, ssrc: 1 };

/** Packets of a sender of its own; once they are used up, a new receiver takes them again. */
function unprotecting(
  keys: ReturnType<typeof generateKeys>,
  cryptography: NodeCryptography,
): () => void {
  const sender = new SrtpSender(keys, cryptography);
  const [plain, output] = [new Uint8Array(172), new Uint8Array(300)];
  const packets = Array.from({ length: PACKETS }, (_, sequenceNumber) => {
    encodeRtp({ ...HEADER, sequenceNumber }, PAYLOAD, plain);
    return output.slice(0, sender.protectRtp(plain, output));
  });
  let receiver = new SrtpReceiver(keys, cryptography);
  let turn = 0;
  return () => {
    if (turn === PACKETS) {
      receiver = new SrtpReceiver(keys, cryptography);
      turn = 0;
    }
    receiver.unprotectRtp(packets[turn] as Uint8Array, output);
    turn += 1;
  };
}
