/** Whose offer waits for its answer in a dialog. There is one at a time at most (RFC 6337 §2.2). */
export interface OfferState {
  open: "none" | "ours" | "theirs";
}
