/**
 * A secret in a file of this process's own: readable by its owner alone, and removed at the end. Only a regular file, or
 * nothing, may stand in its place before: as root a rename would replace `/dev/null` for the whole machine.
 */
import { randomUUID } from "node:crypto";
import {
  accessSync,
  type BigIntStats,
  constants,
  lstatSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { exitCodes } from "./exit-codes.ts";
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
  let mine: BigIntStats | undefined;
  const refuse = (reason: string, exitCode?: number): never => {
    throw new UsageError(`--${option} ${given} ${reason}`, { exitCode });
  };
  const unwritable = (error: unknown, exitCode?: number) =>
    refuse(`cannot be written (${(error as NodeJS.ErrnoException).code}).`, exitCode);

  /** Only what this command may replace stands there. */
  const checkPlace = () => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats) return;
    if (!stats.isFile())
      refuse(`is ${kindOf(stats)}, which is never replaced: choose the path of a file, or of nothing yet.`);
    if (mark !== undefined && firstLineOf(path) !== mark)
      refuse("was not written by looker-token: choose another path, or move the file away.");
  };

  return {
    path,
    check() {
      try {
        accessSync(dirname(path), constants.W_OK | constants.X_OK);
        checkPlace();
      } catch (error) {
        if (error instanceof UsageError) throw error;
        unwritable(error);
      }
    },
    write(text) {
      // By rename, so that nobody reads half of it. Others cannot read it at any moment.
      const temporary = `${path}.${randomUUID()}`;
      try {
        writeFileSync(temporary, `${text}\n`, { mode: 0o600, flag: "wx" });
        // Again, and just before: minutes may lie between the check and this write.
        checkPlace();
        const written = lstatSync(temporary, { bigint: true });
        renameSync(temporary, path);
        mine = written;
      } catch (error) {
        rmSync(temporary, { force: true });
        if (error instanceof UsageError) throw error;
        unwritable(error, exitCodes.unwritten);
      }
    },
    remove() {
      // Only this process's own: another run may have put its file there in the meantime.
      const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (mine && there && isSame(mine, there)) rmSync(path);
    },
  };
}

/** A number alone does not do: the next file gets the number of one that was replaced. */
const isSame = (one: BigIntStats, other: BigIntStats) =>
  one.dev === other.dev && one.ino === other.ino && one.mtimeNs === other.mtimeNs;

/** A link is not followed, since its target may be anything by the time of the write. */
function kindOf(stats: Stats): string {
  if (stats.isSymbolicLink()) return "a symbolic link";
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

/** A killed run leaves its file behind, and the next run replaces it. Undefined where it cannot be read. */
function firstLineOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0];
  } catch {
    return undefined;
  }
}
