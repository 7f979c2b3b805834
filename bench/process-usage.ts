/** What a process has used so far, as Linux counts it: https://man7.org/linux/man-pages/man5/proc.5.html */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessUsage {
  /** On a CPU, all threads that live: what else the machine does counts little. */
  readonly cpuMs: number;
  /** The most memory that it ever had resident. */
  readonly peakMb: number;
}

export function usageOf(pid: number): ProcessUsage {
  // Nanoseconds on a CPU come first: https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat
  const cpuNs = readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + onCpuNs(`/proc/${pid}/task/${thread}/schedstat`),
    0,
  );
  const peakKb = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { cpuMs: cpuNs / 1e6, peakMb: Number(peakKb) / 1_024 };
}

function onCpuNs(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").split(" ")[0]);
  } catch {
    // The thread has ended since it was listed.
    return 0;
  }
}
