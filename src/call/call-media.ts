import { loadCodecs } from "../codec/index.ts";
import type { Environment } from "../environment/index.ts";
import { ImpairedPath } from "../impairment/index.ts";
import {
  type AudioSource,
  bindRtpPorts,
  type FrameWheel,
  LineEcho,
  type LineEchoSettings,
  MediaSession,
  type MediaSettings,
  UtterancePlayer,
} from "../media/index.ts";
import { OfferAnswer } from "../sdp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { AgentOptions } from "./agent-options.ts";
import { CallTrace } from "./call-trace.ts";
import { codecsOf, mediaCapabilities } from "./capabilities.ts";
import { checkMediaSettings } from "./check-media-settings.ts";

/** What one call needs beside its dialog; bound before the dialog begins. */
export interface CallMedia {
  readonly media: MediaSession;
  readonly player: UtterancePlayer;
  readonly trace: CallTrace;
  /** Who speaks from now on, on a line that echoes where the call's line does. */
  readonly speakBy: (source: AudioSource) => void;
  readonly negotiator: OfferAnswer;
  /** The network between its sockets and the world. */
  readonly path: ImpairedPath;
  /** Facts go to the call once there is one. */
  readonly recorder: { record: FactSink };
}

const DEFAULT_SILENT_PEER_LIMIT_MS = 10_000;

/**
 * Makes the media of a call. Ports are bound first: once an offer is made, no I/O may stand between
 * it and the answer.
 * @throws EnvironmentError where no port is to be had; UsageError as `checkMediaSettings`.
 */
export async function prepareCallMedia(
  environment: Environment,
  options: AgentOptions,
  call: {
    readonly address: string;
    readonly wheel: FrameWheel;
    readonly wanted: MediaSettings;
  },
): Promise<CallMedia> {
  const { clock, random, network, cryptography } = environment;
  const settings = checkMediaSettings({ ...options.media, ...call.wanted });
  await loadCodecs(codecsOf(settings));
  const sockets = await bindRtpPorts(network, random, {
    address: call.address,
    ...(settings.rtpPorts === undefined ? {} : { range: settings.rtpPorts }),
    withRtcp: settings.rtcp !== "off",
  });
  const path = new ImpairedPath(clock, random, settings.network);
  const anchor = { at: clock.now(), wallClockMs: clock.wallClockMs() };
  const trace = new CallTrace(anchor, (settings.srtp ?? "off") !== "off");
  const keeps = options.keepsRecordings ?? true;
  const recorder: { record: FactSink } = { record: () => {} };
  const record: FactSink = (fact) => recorder.record(fact);
  const media = new MediaSession({
    party: options.party,
    clock,
    random,
    cryptography,
    wheel: call.wheel,
    sockets: {
      rtp: path.before(sockets.rtp),
      ...(sockets.rtcp === undefined ? {} : { rtcp: path.before(sockets.rtcp) }),
    },
    settings,
    record,
    recordsAudio: keeps,
    silentPeerLimitMs: options.silentPeerLimitMs ?? DEFAULT_SILENT_PEER_LIMIT_MS,
    ...(keeps ? { onPacket: (packet) => trace.addRtp(packet) } : {}),
  });
  const player = new UtterancePlayer(record);
  const { echo } = settings;
  const speakBy = (source: AudioSource): void => {
    media.source = echo === undefined ? source : echoing(media, source, echo);
  };
  speakBy(player);
  if (options.party === "caller") {
    media.onHeardSpeech = (event, at) => player.handleHeardSpeech(event, at);
  }
  const capabilities = mediaCapabilities(sockets, settings, { random, cryptography });
  const negotiator = new OfferAnswer(capabilities);
  negotiator.reconfigure({ codecs: codecsOf(settings) });
  return { media, player, trace, speakBy, negotiator, recorder, path };
}

function echoing(
  media: MediaSession,
  source: AudioSource,
  settings: LineEchoSettings,
): AudioSource {
  const echo = new LineEcho(source, settings);
  media.onHeardFrame = (frame) => echo.handleHeard(frame);
  return echo;
}
