import type { Faults } from "./engine/faults.ts";

/** The HTTP status with which a connection is refused on purpose; `undefined`: it is not. */
export function refusedStatus(faults: Faults): number | undefined {
  if (faults.refuseConnection === true) return 503;
  return faults.unauthorized === true ? 401 : faults.refuseStatus;
}

/** Type, code and message as OpenAI words them. */
export function openAiRefusal(status: number): readonly [type: string, code: string, text: string] {
  if (status === 401) {
    return ["invalid_request_error", "invalid_api_key", "Incorrect API key provided."];
  }
  if (status === 429) {
    return ["rate_limit_error", "rate_limit_exceeded", "Rate limit reached. Try again later."];
  }
  return status < 500
    ? ["invalid_request_error", "refused", "Refused on request (fault refuseStatus)."]
    : ["server_error", "service_unavailable", "The server had an error (on request)."];
}

/** Status and message as Google words them. */
export function geminiRefusal(status: number): readonly [status: string, message: string] {
  if (status === 401) {
    return ["UNAUTHENTICATED", "API key not valid. Please pass a valid API key."];
  }
  if (status === 403) return ["PERMISSION_DENIED", "The caller does not have permission."];
  if (status === 429) return ["RESOURCE_EXHAUSTED", "You exceeded your current quota."];
  return status < 500
    ? ["INVALID_ARGUMENT", "Refused on request (fault refuseStatus)."]
    : ["UNAVAILABLE", "The service is currently unavailable."];
}
