/** A file of this process's own, with a secret in it: for its owner alone, and gone at the end. */
import { randomUUID } from "node:crypto";
import {
  accessSync,
  constants,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

export interface OwnFile {
  /** Absolute, since a command may change its directory. */
  readonly path: string;
  /** @throws {UsageError} where a write would fail, as far as that can be seen beforehand. */
  check(): void;
  /** Puts a line feed behind the text. */
  write(text: string): void;
  remove(): void;
}

export interface OwnFileOptions {
  /** The first line of all that is written there. A file without it is somebody else's, and is not replaced. */
  readonly mark?: string;
}

/** `option`: which one gave the path, without its dashes. */
export function ownFile(option: string, given: string, { mark }: OwnFileOptions = {}): OwnFile {
  const path = resolve(given);
  let inode: number | undefined;
  const refuse = (code: string | undefined): never => {
    throw new UsageError(`--${option} ${given} cannot be written (${code}).`);
  };
  return {
    path,
    check() {
      try {
        accessSync(dirname(path), constants.W_OK | constants.X_OK);
      } catch (error) {
        refuse((error as NodeJS.ErrnoException).code);
      }
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) refuse("EISDIR");
      if (mark !== undefined && isForeign(path, mark))
        throw new UsageError(
          `--${option} ${given} is a file that looker-token did not write: choose another path, or move that file away.`,
        );
    },
    write(text) {
      // By rename, so that nobody reads half of it; and never readable by others, not even for a moment.
      const temporary = `${path}.${randomUUID()}`;
      try {
        writeFileSync(temporary, `${text}\n`, { mode: 0o600, flag: "wx" });
        inode = statSync(temporary).ino;
        renameSync(temporary, path);
      } catch (error) {
        rmSync(temporary, { force: true });
        refuse((error as NodeJS.ErrnoException).code);
      }
    },
    remove() {
      // Only this process's own: another run may have put its file there in the meantime.
      if (inode !== undefined && statSync(path, { throwIfNoEntry: false })?.ino === inode) rmSync(path);
    },
  };
}

/** A file of ours may be left from a run that was killed, and the next run takes its place. */
function isForeign(path: string, mark: string): boolean {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0] !== mark;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
