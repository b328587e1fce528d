import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NodeFileStore } from "./files.ts";

const files = new NodeFileStore();
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-files-"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
});

afterAll(() => rm(folder, { recursive: true }));

describe("NodeFileStore", () => {
  it("reads what it has written, in folders that it makes, and replaces it", async () => {
    const path = join(folder, "a/b.txt");
    await files.write(path, "first and longer");
    await files.write(path, "second");
    expect(await files.readText(path)).toBe("second");
  });

  it.each(["pipe", ".", "nothing"])("refuses to read %j and does not wait", async (name) => {
    await expect(files.read(join(folder, name))).rejects.toMatchObject({
      code: "ERR_FILE_MISSING",
      message: expect.stringContaining("cannot be read"),
    });
  });

  it("does not wait for a reader of the pipe that it is to write to", async () => {
    await expect(files.write(join(folder, "pipe"), "x")).rejects.toMatchObject({ code: "ENXIO" });
  });
});
