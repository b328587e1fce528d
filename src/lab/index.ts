/**
 * Studies made of many calls. Calibration: a reference bot whose every sound is known to the
 * sample, called over loopback, and each figure held against what its packets say.
 */
export { type CalibrateOptions, CONDITIONS, type Condition, calibrate } from "./calibrate.ts";
