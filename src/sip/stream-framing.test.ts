import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StreamFramer, type StreamPiece } from "./stream-framing.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What the framer makes of a stream that arrives in pieces of these lengths, then the rest. */
function framed(stream: Uint8Array, lengths: readonly number[] = []): string[] {
  const framer = new StreamFramer();
  const pieces: string[] = [];
  let begin = 0;
  for (const length of [...lengths, stream.length]) {
    const chunk = stream.slice(begin, begin + length);
    framer.handleBytes(chunk);
    // The host's buffer is used again.
    chunk.fill(0x58);
    begin += length;
    for (let piece = framer.takeOutput(); piece !== undefined; piece = framer.takeOutput()) {
      pieces.push(described(piece));
    }
  }
  return pieces;
}

function described(piece: StreamPiece): string {
  if (piece.kind === "message") return decoder.decode(piece.data);
  return piece.kind === "garbage" ? `garbage: ${piece.reason}` : piece.kind;
}

function message(body: string, lengthName = "Content-Length", lineEnd = "\r\n"): string {
  const length = encoder.encode(body).length;
  return ["OPTIONS sip:bot@host SIP/2.0", "Via: x", `${lengthName}: ${length}`, "", body].join(
    lineEnd,
  );
}

const MESSAGE = fc
  .tuple(
    fc.string({ unit: "grapheme", maxLength: 60 }),
    fc.constantFrom("Content-Length", "l", "CONTENT-LENGTH ", "L"),
    fc.constantFrom("\r\n", "\n"),
  )
  .map(([body, name, lineEnd]) => message(body, name, lineEnd));
const STREAM = fc.array(fc.oneof(MESSAGE, fc.constant("\r\n"), fc.constant("\r\n\r\n")), {
  maxLength: 8,
});
const CHUNKS = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

describe("StreamFramer", () => {
  it("finds the same messages however the bytes are divided", () => {
    fc.assert(
      fc.property(STREAM, CHUNKS, (parts, lengths) => {
        const expected = parts.flatMap((part) =>
          part.startsWith("\r\n") ? Array<string>(part.length / 2).fill("lineEnd") : [part],
        );
        expect(framed(encoder.encode(parts.join("")), lengths)).toEqual(expected);
      }),
    );
  });

  it("comes to the same end whatever comes, and however it is divided", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string({ maxLength: 200 }).map((text) => encoder.encode(text)),
      STREAM.chain((parts) => {
        const bytes = encoder.encode(parts.join(""));
        return fc
          .nat(Math.max(0, bytes.length - 1))
          .map((at) => bytes.map((b, i) => (i === at ? b ^ 32 : b)));
      }),
    );
    fc.assert(
      fc.property(noise, CHUNKS, (bytes, lengths) => {
        expect(framed(bytes, lengths)).toEqual(framed(bytes));
      }),
    );
  });

  it.each([
    ["OPTIONS sip:b@h SIP/2.0\r\nVia: x\r\n\r\n", "it has no Content-Length"],
    [message("x".repeat(3)).replace("Length: 3", "Length: 1048577"), "its body is too long"],
    ["GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "its first line is none of SIP"],
    ["\u0016\u0003\u0001 a TLS client", "it does not begin with a word"],
    [`OPTIONS sip:b@h SIP/2.0\r\nX: ${"y".repeat(70_000)}`, "its head is too long"],
  ])("gives up at what is no SIP: %#", (text, reason) => {
    expect(framed(encoder.encode(text + message("")))).toEqual([`garbage: ${reason}`]);
  });

  it.each(["-1", "abc", "1, 2", ""])("hands on the head where Content-Length is %s", (length) => {
    const text = `OPTIONS sip:b@h SIP/2.0\r\nContent-Length: ${length}\r\n\r\n`;

    expect(framed(encoder.encode(`${text}rest`))).toEqual([
      text,
      "garbage: its Content-Length is malformed",
    ]);
  });

  it("carries a body larger than its first buffer", () => {
    const text = message("x".repeat(500_000));

    expect(framed(encoder.encode(text), [10, 4096, 70_000])).toEqual([text]);
  });
});
