/** What is measured beside each other takes turns: whatever else the machine does meets all of it. */

/** Each is the first as often as the last. */
export async function takingTurns<T>(
  all: readonly T[],
  rounds: number,
  turn: (one: T) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const one of round % 2 === 0 ? all : all.toReversed()) await turn(one);
}
