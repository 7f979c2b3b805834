/**
 * Shared by every suite: no canary in what it writes or in its errors, and no network beyond loopback. Where suites share
 * a process this runs once for each, while what it imports is there once: so whatever changes the process stands there.
 */
import { afterAll, afterEach } from "vitest";
import { errorText, findLeaks } from "./canary.ts";
import { takeRefusedHosts } from "./loopback-only.ts";
import { output } from "./output.ts";

/** A secret may be written in two pieces, or the second half after its test: as much as it can be is looked at again. */
const overlap = 2_048;
let seen = "";

function check(errors: readonly unknown[] = []): void {
  seen = seen.slice(-overlap) + output.take();
  const leaks = [...findLeaks(seen), ...errors.flatMap((error) => findLeaks(errorText(error)))];
  const hosts = takeRefusedHosts();
  if (leaks.length > 0) {
    seen = "";
    const list = leaks.map(({ secret, form }) => `${secret} (${form})`);
    throw new Error(`a planted secret shows in output or in an error: ${[...new Set(list)].join(", ")}`);
  }
  if (hosts.length > 0) throw new Error(`connections beyond loopback were tried: ${hosts.join(", ")}`);
}

afterEach(({ task }) => check(task.result?.errors));
// biome-ignore lint/correctness/noEmptyPattern: vitest reads from the pattern which fixtures are wanted.
afterAll(({}, suite) => check(suite.result?.errors));
