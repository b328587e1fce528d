import type { FactOf } from "../timeline/index.ts";

/** "486, rejected by the remote side" */
export function describeEnd(end: FactOf<"callPhase">): string {
  const status = end.statusCode === undefined ? "" : `${end.statusCode}, `;
  return `${status}${end.reason ?? "ended"} by the ${end.endedBy ?? "unknown"} side`;
}
