/** Below this mean one-way delay nobody minds, mT (G.107 (7-27), default class of sensitivity). */
const DELAY_UNNOTICED_MS = 100;

/** Idd: what delay alone costs, without any echo (G.107 (06/2015) (7-27), (7-28), sT = 1). */
export function delayImpairment(delayMs: number): number {
  if (delayMs <= DELAY_UNNOTICED_MS) return 0;
  const x = Math.log2(delayMs / DELAY_UNNOTICED_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
}

/** Idte: what the talker's own echo costs (G.107 (7-20) to (7-24)); 0 below 1 ms. */
export function talkerEchoImpairment(echo: {
  readonly echoDelayMs: number;
  readonly telrDb: number;
  /** Roe. */
  readonly echoRating: number;
}): number {
  const { echoDelayMs: t, telrDb, echoRating } = echo;
  if (t < 1) return 0;
  const terv = telrDb - 40 * Math.log10((1 + t / 10) / (1 + t / 150)) + 6 * Math.exp(-0.3 * t * t);
  const re = 80 + 2.5 * (terv - 14);
  const half = (echoRating - re) / 2;
  return (half + Math.sqrt(half * half + 100) - 1) * (1 - Math.exp(-t));
}
