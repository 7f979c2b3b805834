/** Works through items with at most `parallel` at once. Items may be added while it runs, by the generator. */
export async function forEachParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  parallel: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items
      ? items[Symbol.asyncIterator]()
      : (items as Iterable<Item>)[Symbol.iterator]();
  // One pull at a time: an async generator would queue them, a sync one does not care.
  let pulling: Promise<unknown> = Promise.resolve();
  const pull = () => {
    const next = pulling.then(() => iterator.next());
    pulling = next.catch(() => undefined);
    return next;
  };
  const worker = async () => {
    for (let next = await pull(); !next.done; next = await pull()) await work(next.value);
  };
  await Promise.all(Array.from({ length: parallel }, worker));
}
