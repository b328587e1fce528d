import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BootstrapProject, outcome } from "./bootstrap-project.ts";

const MAIN = `
const args = process.argv.slice(2);
if (args.includes("--wait")) {
  const alive = setInterval(() => {}, 1000);
  process.on("SIGINT", () => {
    console.log("hanging up");
    clearInterval(alive);
    process.exitCode = 4;
  });
} else {
  process.exitCode = args.includes("--fail") ? 1 : 0;
}
console.log(JSON.stringify(args));
`;

describe("bootstrap", { timeout: 30_000 }, () => {
  let project: BootstrapProject;

  beforeEach(async () => {
    project = await BootstrapProject.make(MAIN);
    await project.install();
  });

  afterEach(async () => {
    await project.remove();
  });

  it("installs, compiles and starts in a fresh clone, and does neither again", async () => {
    await project.uninstall();

    const first = await project.run("start", "--seed", "7");
    const second = await project.run("start");

    expect(first).toMatchObject({ exitCode: 0, stdout: '["demo","--seed","7"]\n' });
    expect(first.stderr).toContain("npm ci");
    expect(second).toEqual({ exitCode: 0, stdout: '["demo"]\n', stderr: "" });
    expect(await project.compilations()).toBe(1);
  });

  it("compiles again when a source changes, and forgets compiled files without a source", async () => {
    await project.run("build");
    await project.write("dist/steps/forgotten.steps.js", "");
    await project.write("src/cli/main.ts", `${MAIN}\nconsole.log("changed");`);

    const run = await project.run("start");

    expect(run.stdout).toContain("changed");
    expect(await project.compilations()).toBe(2);
    await expect(access(join(project.root, "dist/steps/forgotten.steps.js"))).rejects.toThrow();
  });

  it("does not compile again for a changed test", async () => {
    await project.run("build");
    await project.write("src/cli/main.test.ts", "// A test.");

    await project.run("build");

    expect(await project.compilations()).toBe(1);
  });

  it("says that the sources do not compile, starts nothing, and tries again next time", async () => {
    await project.write("src/cli/main.ts", "does not compile");

    const failed = await project.run("start");
    await project.write("src/cli/main.ts", MAIN);
    const repaired = await project.run("start");

    expect(failed).toMatchObject({ exitCode: 3, stdout: "" });
    expect(failed.stderr).toContain("do not compile");
    expect(repaired.exitCode).toBe(0);
  });

  it("hands on the exit code", async () => {
    expect((await project.run("start", "--fail")).exitCode).toBe(1);
  });

  it("passes one Ctrl-C on, however often it arrives, and waits for the end", async () => {
    await project.run("build");
    const child = project.spawn("start", "--wait");
    const ended = outcome(child);
    if (child.stdout === null) throw new Error("stdout is a pipe.");
    await once(child.stdout, "data");

    child.kill("SIGINT");
    child.kill("SIGINT");

    expect(await ended).toMatchObject({
      exitCode: 4,
      stdout: '["demo","--wait"]\nhanging up\n',
    });
  });

  it("prepares once when two start together", async () => {
    await project.uninstall();

    const runs = await Promise.all([project.run("start"), project.run("start")]);

    expect(runs.map((run) => run.exitCode)).toEqual([0, 0]);
    expect(runs.filter((run) => run.stderr.includes("npm ci"))).toHaveLength(1);
    expect(await project.compilations()).toBe(1);
  });

  it("takes over the lock of a start that was killed", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await project.write(".bootstrap.lock", String(pid));

    expect((await project.run("build")).exitCode).toBe(0);
    await expect(access(join(project.root, ".bootstrap.lock"))).rejects.toThrow();
  });

  it("says what to do when the lockfile is missing", async () => {
    await project.write("package-lock.json", "{");

    const run = await project.run("start");

    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain("git checkout package-lock.json");
  });

  it("says that the registry cannot be reached", async () => {
    const unreachable = { version: "1.0.0", resolved: "http://127.0.0.1:9/a/-/a-1.0.0.tgz" };
    const packages = {
      "": { name: "fixture", version: "1.0.0", dependencies: { a: "1.0.0" } },
      "node_modules/a": unreachable,
    };
    await project.write(
      "package.json",
      '{"name":"fixture","version":"1.0.0","dependencies":{"a":"1.0.0"}}',
    );
    await project.write("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages }));
    await project.write(".npmrc", "registry=http://127.0.0.1:9/\nfetch-retries=0\n");

    const run = await project.run("start");

    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain("registry could not be reached");
  });

  it("lists the commands when it does not know one", async () => {
    const run = await project.run("toString");

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("test:interop");
  });
});
