/** A token in a file that a long job reads again for each call. */
import { randomUUID } from "node:crypto";
import { accessSync, constants, lstatSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

export interface TokenFile {
  /** Absolute, since the command may change its directory. */
  readonly path: string;
  /** @throws {UsageError} where a write would fail, as far as that can be seen beforehand. */
  check(): void;
  write(token: string): void;
  remove(): void;
}

export function tokenFile(given: string): TokenFile {
  const path = resolve(given);
  let inode: number | undefined;
  const refuse = (code: string | undefined): never => {
    throw new UsageError(`--token-file ${given} cannot be written (${code}).`);
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
    },
    write(token) {
      // By rename, so that nobody reads half of it; and never readable by others, not even for a moment.
      const temporary = `${path}.${randomUUID()}`;
      try {
        writeFileSync(temporary, `${token}\n`, { mode: 0o600, flag: "wx" });
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
