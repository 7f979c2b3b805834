/**
 * Words and variables that are not UTF-8. Node reads U+FFFD in the place of each wrong byte, and would pass this character on.
 * It may also be there by right. On Linux the bytes of the start tell. Elsewhere the character counts as broken.
 */
import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";

/** The places of the words that are not. `args`: the end of this process's command line. */
export function brokenWords(args: readonly string[]): number[] {
  const suspects = [...args.keys()].filter((at) => args[at]?.includes("\ufffd"));
  if (suspects.length === 0) return [];
  const words = partsOf("/proc/self/cmdline").slice(-args.length);
  const areThese = words.length === args.length && words.every((word, at) => word.toString() === args[at]);
  return areThese ? suspects.filter((at) => !isUtf8(words[at] as Buffer)) : suspects;
}

/** The names of the variables that are not, by value or by name. */
export function brokenVariables(environment: NodeJS.ProcessEnv): string[] {
  const suspects = Object.keys(environment).filter((name) =>
    `${name}=${environment[name]}`.includes("\ufffd"),
  );
  if (suspects.length === 0) return [];
  const entries = partsOf("/proc/self/environ");
  const nameOf = (entry: Buffer) => entry.toString().split("=", 1)[0];
  return suspects.filter((name) => {
    const own = entries.filter((entry) => nameOf(entry) === name);
    return own.length === 0 || own.some((entry) => !isUtf8(entry));
  });
}

/** Each ends with a NUL. None where there is no such file. */
function partsOf(file: string): Buffer[] {
  try {
    // A character for each byte, so that no byte is lost by the splitting.
    return readFileSync(file, "latin1")
      .split("\0")
      .slice(0, -1)
      .map((part) => Buffer.from(part, "latin1"));
  } catch {
    return [];
  }
}
