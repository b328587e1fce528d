/**
 * With nothing buffered one cannot tell loss from a pause. So much is concealed, which is what
 * G.711 Appendix I takes to fade out; then it is silence.
 */
const BLIND_MS = 60;
/** As much where the sender is known to pause without notice. */
const BLIND_PAUSING_MS = 20;

/**
 * Guesses what an empty buffer means, from what it has meant before: loss (or a stall of the
 * network), or a sender that stops sending in its pauses without saying so (silence suppression
 * without comfort noise, RFC 3551 §4.1).
 */
export class PauseGuess {
  #pauses = 0;
  #losses = 0;

  /** How much of a hole that nothing follows yet is taken for loss. */
  get blindMs(): number {
    return this.#pauses > this.#losses ? BLIND_PAUSING_MS : BLIND_MS;
  }

  /** A hole that had to be guessed at has ended; `wasLoss` if packets were missing or late in it. */
  learn(wasLoss: boolean): void {
    if (wasLoss) this.#losses += 1;
    else this.#pauses += 1;
  }
}
