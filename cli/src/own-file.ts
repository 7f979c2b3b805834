/** A secret in a file of this process's own: readable by its owner alone, and removed at the end. */
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
  /** @throws {UsageError} if a write would fail, as far as a look beforehand can tell. */
  check(): void;
  /** Puts a line feed behind the text. */
  write(text: string): void;
  remove(): void;
}

export interface OwnFileOptions {
  /** The first line of all its texts. A file without this line is somebody else's, and is not replaced. */
  readonly mark?: string;
}

/** `option`: the option of the path, without its dashes. */
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
          `--${option} ${given} was not written by looker-token: choose another path, or move the file away.`,
        );
    },
    write(text) {
      // By rename, so that nobody reads half of it. Others cannot read it at any moment.
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

/** A killed run leaves its file behind, and the next run replaces it. */
function isForeign(path: string, mark: string): boolean {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0] !== mark;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}
