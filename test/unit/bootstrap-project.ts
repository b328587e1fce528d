import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const REPOSITORY = join(import.meta.dirname, "..", "..");

/** Stands in for the compiler: notes each run and copies src/cli/main.ts to dist. */
const COMPILER = `
const fs = require("node:fs");
fs.appendFileSync("compiled.log", "once\\n");
if (fs.readFileSync("src/cli/main.ts", "utf8").includes("does not compile")) process.exit(2);
fs.mkdirSync("dist/src/cli", { recursive: true });
fs.copyFileSync("src/cli/main.ts", "dist/src/cli/main.js");
`;

const PACKAGE_JSON = {
  name: "fixture",
  version: "1.0.0",
  type: "module",
  devDependencies: { typescript: "file:./compiler" },
};

const PACKAGE_LOCK = {
  name: "fixture",
  version: "1.0.0",
  lockfileVersion: 3,
  requires: true,
  packages: {
    "": {
      name: "fixture",
      version: "1.0.0",
      devDependencies: { typescript: "file:./compiler" },
    },
    compiler: { name: "typescript", version: "0.0.1", dev: true },
    "node_modules/typescript": { resolved: "compiler", link: true },
  },
};

/** What one run of the bootstrap did. */
export interface BootstrapRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A fresh clone in small: the real bootstrap, a program that says what it was given, and a stand-in
 * for the compiler that npm installs from a folder, so that no registry is needed.
 */
export class BootstrapProject {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async make(mainSource: string): Promise<BootstrapProject> {
    const root = await mkdtemp(join(tmpdir(), "sidetone-bootstrap-"));
    const project = new BootstrapProject(root);
    await cp(join(REPOSITORY, "bootstrap.mjs"), join(root, "bootstrap.mjs"));
    await cp(join(REPOSITORY, "scripts", "bootstrap"), join(root, "scripts", "bootstrap"), {
      recursive: true,
    });
    await project.write("package.json", JSON.stringify(PACKAGE_JSON));
    await project.write("package-lock.json", JSON.stringify(PACKAGE_LOCK));
    await project.write("compiler/package.json", '{"name":"typescript","version":"0.0.1"}');
    await project.write("compiler/bin/tsc", COMPILER);
    await project.write("src/cli/main.ts", mainSource);
    return project;
  }

  /** Does what `npm ci` would, sooner. */
  async install(): Promise<void> {
    await this.write("node_modules/.package-lock.json", JSON.stringify(PACKAGE_LOCK));
    await this.write("node_modules/typescript/bin/tsc", COMPILER);
  }

  async uninstall(): Promise<void> {
    await rm(join(this.root, "node_modules"), { recursive: true });
  }

  async write(path: string, content: string): Promise<void> {
    const absolute = join(this.root, path);
    await mkdir(join(absolute, ".."), { recursive: true });
    await writeFile(absolute, content);
  }

  async read(path: string): Promise<string> {
    return readFile(join(this.root, path), "utf8");
  }

  /** How often the compiler ran. */
  async compilations(): Promise<number> {
    return (await this.read("compiled.log")).split("\n").length - 1;
  }

  /** Starts the bootstrap; `NODE_ENV=production` because that must not leave out the compiler. */
  spawn(...args: string[]): ChildProcess {
    return spawn(process.execPath, ["bootstrap.mjs", ...args], {
      cwd: this.root,
      env: { ...process.env, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs the bootstrap to its end. */
  async run(...args: string[]): Promise<BootstrapRun> {
    const child = this.spawn(...args);
    return outcome(child);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Waits for the end of a spawned bootstrap and collects what it printed. */
export async function outcome(child: ChildProcess): Promise<BootstrapRun> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, stdout, stderr };
}
