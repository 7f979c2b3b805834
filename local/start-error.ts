/** What went wrong at the start, in one line that says what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Names the flag when a port that it set is taken. */
export async function orInUse<T>(ports: Readonly<Record<string, number>>, starting: Promise<T>): Promise<T> {
  try {
    return await starting;
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    const flag = Object.keys(ports).find((name) => ports[name] === port && port !== 0);
    if (!flag || (code !== "EADDRINUSE" && code !== "EACCES")) throw error;
    const why = code === "EACCES" ? "may not be used by you" : "is in use";
    throw new StartError(`Port ${port} ${why}: choose another with ${flag} (0 picks a free one).`);
  }
}
