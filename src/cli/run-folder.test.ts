import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimRunFolder, pointLatestTo } from "./run-folder.ts";

describe("the folder of a run", () => {
  let reports: string;

  beforeEach(async () => {
    reports = join(await mkdtemp(join(tmpdir(), "sidetone-reports-")), "reports");
  });

  afterEach(() => rm(join(reports, ".."), { recursive: true }));

  it("is another for each of two runs of the same second", async () => {
    const runs = await Promise.all([
      claimRunFolder(reports, "run"),
      claimRunFolder(reports, "run"),
    ]);
    expect(runs.map(({ runId }) => runId).toSorted()).toEqual(["run", "run-2"]);
    expect((await readdir(reports)).toSorted()).toEqual(["run", "run-2"]);
  });

  it("is what `latest` leads to, and the next run's after that", async () => {
    const first = await claimRunFolder(reports, "one");
    expect(await pointLatestTo(first.folder)).toBeUndefined();
    expect(await readlink(join(reports, "latest"))).toBe("one");
    const second = await claimRunFolder(reports, "two");
    expect(await pointLatestTo(second.folder)).toBeUndefined();
    expect(await readlink(join(reports, "latest"))).toBe("two");
    expect((await readdir(reports)).toSorted()).toEqual(["latest", "one", "two"]);
  });

  it("leaves a `latest` that is a folder as it is, and says so", async () => {
    const { folder } = await claimRunFolder(reports, "one");
    await mkdir(join(reports, "latest"));
    await writeFile(join(reports, "latest", "junit.xml"), "mine");
    expect(await pointLatestTo(folder)).toMatch(/latest is not a link/u);
    expect(await readdir(join(reports, "latest"))).toEqual(["junit.xml"]);
  });
});
