import { describe, expect, it } from "vitest";
import { judgeHandshake } from "./handshake.ts";

function judge(target: string, headers: Record<string, string>) {
  return judgeHandshake({ method: "GET", target, headers, body: "" }, (key) => key === "sk-good");
}

describe("judgeHandshake", () => {
  it.each([
    ["a bearer token", { authorization: "Bearer sk-good" }],
    ["Azure's header", { "api-key": "sk-good" }],
    ["a subprotocol", { "sec-websocket-protocol": "realtime, openai-insecure-api-key.sk-good" }],
  ])("takes the key from %s", (_where, headers) => {
    expect(judge("/v1/realtime?model=gpt-realtime", headers)).toMatchObject({
      accepted: true,
      model: "gpt-realtime",
    });
  });

  it("chooses the subprotocol where it is offered, and none where it is not", () => {
    const offered = { "sec-websocket-protocol": "realtime, openai-insecure-api-key.sk-good" };

    expect(judge("/v1/realtime", offered)).toMatchObject({ subprotocol: "realtime" });
    expect(judge("/v1/realtime", { authorization: "Bearer sk-good" })).not.toHaveProperty(
      "subprotocol",
    );
  });

  it.each(["//", "http://[", "*", "", "/%zz", "//ws//"])("knows no target %j", (target) => {
    expect(judge(target, { authorization: "Bearer sk-good" })).toMatchObject({
      accepted: false,
      response: { status: 404 },
    });
  });

  it("serves Azure's path too", () => {
    expect(judge("/openai/v1/realtime?model=x", { "api-key": "sk-good" }).accepted).toBe(true);
  });

  it("refuses a wrong key with 401 and does not repeat it", () => {
    const handshake = judge("/v1/realtime", { authorization: "Bearer sk-wrong" });

    expect(handshake).toMatchObject({ accepted: false, response: { status: 401 } });
    expect(JSON.stringify(handshake)).toContain("invalid_api_key");
    expect(JSON.stringify(handshake)).not.toContain("sk-wrong");
  });

  it.each([
    ["no key", "/v1/realtime", {}, 401],
    ["another path", "/v1/chat", { authorization: "Bearer sk-good" }, 404],
    ["a call id", "/v1/realtime?call_id=rtc_1", { authorization: "Bearer sk-good" }, 404],
    ["a transcription", "/v1/realtime?intent=transcription", { "api-key": "sk-good" }, 400],
  ])("refuses %s", (_what, target, headers, status) => {
    expect(judge(target, headers)).toMatchObject({ accepted: false, response: { status } });
  });
});
