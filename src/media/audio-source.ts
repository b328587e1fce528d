import type { Instant } from "../environment/index.ts";

/** What the frames of a session are like; a later offer and answer may change their length. */
export interface FrameFormat {
  readonly sampleRateHz: number;
  readonly frameMs: number;
}

/** What a media session sends: asked once per frame, at the frame's deadline. */
export interface AudioSource {
  /** Told before the first frame, and when frames change. */
  begin?(format: FrameFormat): void;
  /**
   * Fills `frame` with the samples that leave now.
   * @param deadline when the packet should leave: the tick's absolute deadline, not the real now.
   * @param leavesAt the real now: when it does leave.
   * @returns false where the frame is silence (and was filled with zeros).
   */
  fill(frame: Int16Array, deadline: Instant, leavesAt: Instant): boolean;
}

/** Sends silence. */
export const SILENT_SOURCE: AudioSource = {
  fill: (frame) => {
    frame.fill(0);
    return false;
  },
};
