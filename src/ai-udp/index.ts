/**
 * The AI's leg over UDP, standing for WebRTC to the model: a session's audio as RTP packets of Opus
 * over the injured network. It knows neither the provider's protocol nor the call.
 */
export { openUdpPath, UdpPath, type UdpPathParts } from "./udp-path.ts";
