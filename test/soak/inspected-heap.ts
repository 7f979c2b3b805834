/** The heap of another process of Node on this machine, by its inspector. */

/** `url`: as the process writes it after a SIGUSR1, `ws://127.0.0.1:9229/…`. */
export async function inspectHeap(url: string) {
  const socket = new WebSocket(url);
  const waiting = new Map<number, (result: { usedSize?: number }) => void>();
  socket.addEventListener("message", ({ data }) => {
    const { id, result = {} } = JSON.parse(String(data));
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error(`There is no inspector at ${url}.`)));
  });
  let last = 0;
  const ask = (method: string) =>
    new Promise<{ usedSize?: number }>((resolve) => {
      waiting.set(++last, resolve);
      socket.send(JSON.stringify({ id: last, method }));
    });
  return {
    /** In use after a full collection: https://chromedevtools.github.io/devtools-protocol/v8/Runtime/#method-getHeapUsage */
    async keptMb(): Promise<number> {
      await ask("HeapProfiler.collectGarbage");
      const { usedSize = Number.NaN } = await ask("Runtime.getHeapUsage");
      return usedSize / 2 ** 20;
    },
    close: () => socket.close(),
  };
}
