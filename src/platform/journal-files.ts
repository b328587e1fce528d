import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

/** A file that says what this process has under way; see `JournalFile` of call/. */
export interface ProcessJournal {
  append(line: string): void;
  remove(): void;
}

let opened = 0;

/**
 * A journal of this process in `folder`. It is written at once (a killed process flushes nothing),
 * and a few lines a call cost less than a packet.
 */
export function openJournal(folder: string): ProcessJournal {
  opened += 1;
  const path = join(folder, `${hostname()}-${process.pid}-${startOf(process.pid)}-${opened}.jsonl`);
  return {
    append: (line) => {
      try {
        mkdirSync(folder, { recursive: true });
        appendFileSync(path, `${line}\n`);
      } catch {
        // A disk that is full must not end calls that are going well.
      }
    },
    remove: () => rmSync(path, { force: true }),
  };
}

/**
 * Reads and removes the journals of processes of this host that are no longer there. Those of
 * other hosts, which may share the folder, are left alone.
 */
export function takeLeftJournals(folder: string): readonly string[] {
  const left: string[] = [];
  for (const name of namesIn(folder)) {
    const [, pid, start] = /-(\d+)-(\d+)-\d+\.jsonl$/u.exec(name) ?? [];
    if (pid === undefined || start === undefined || !name.startsWith(`${hostname()}-`)) continue;
    if (isRunning(Number(pid), start)) continue;
    try {
      left.push(readFileSync(join(folder, name), "utf8"));
      rmSync(join(folder, name), { force: true });
    } catch {
      // Another run took it in the same moment, and tells of it.
    }
  }
  return left;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

/** Process ids are used again, so the start of the process is compared where the host tells it. */
function isRunning(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return startOf(pid) === start;
}

/** Clock ticks from the host's start to that of the process, /proc/PID/stat field 22; "0" elsewhere. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}
