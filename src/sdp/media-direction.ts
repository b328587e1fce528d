/** Who sends, seen from the one who wrote the description (RFC 8866 §6.7). */
export type MediaDirection = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** The direction as the other side has to see it (RFC 3264 §6.1). */
export function mirrored(direction: MediaDirection): MediaDirection {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

/** What remains of `direction` if sending, or receiving, is limited by `other`. */
export function intersected(direction: MediaDirection, other: MediaDirection): MediaDirection {
  const sends = canSend(direction) && canSend(other);
  const receives = canReceive(direction) && canReceive(other);
  if (sends) return receives ? "sendrecv" : "sendonly";
  return receives ? "recvonly" : "inactive";
}

function canSend(direction: MediaDirection): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

function canReceive(direction: MediaDirection): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}
