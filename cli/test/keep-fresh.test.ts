import { TokenBrokerError } from "@looker-token-broker/client/broker";
import { expect, onTestFinished, test } from "vitest";
import { keepFresh } from "../src/keep-fresh.ts";
import type { Terminal } from "../src/terminal.ts";

interface Token {
  readonly leaseId: string;
  readonly accessToken: string;
}

const tokenOf = (leaseId: string): Token => ({ leaseId, accessToken: `token of ${leaseId}` });

function io(notes: string[]): Terminal {
  const plain = (_: string, text: string) => text;
  const unused = () => {};
  return {
    paint: plain,
    paintNote: plain,
    isShown: false,
    width: undefined,
    isWatched: false,
    canAsk: false,
    print: unused,
    note: (text) => notes.push(text),
    progress: unused,
    endProgress: unused,
  };
}

/** Asks the next of these at each look, and the last one ever after. */
async function kept(...looks: (Token | TokenBrokerError)[]) {
  const written: string[] = [];
  const notes: string[] = [];
  let asked = 0;
  const enough = new Promise<void>((resolve) => {
    const keeping = keepFresh(
      io(notes),
      {},
      {
        client: {
          async token() {
            const look = looks[Math.min(asked++, looks.length - 1)];
            if (asked > looks.length) resolve();
            if (look === undefined || look instanceof TokenBrokerError) throw look;
            return look;
          },
        },
        file: { path: "", check() {}, write: (token) => written.push(token), remove() {} },
        token: tokenOf("first"),
        everyMs: 1,
      },
    );
    onTestFinished(() => keeping.stop());
  });
  await enough;
  return { written, notes };
}

test("the file is written again for each new lease, and only then", async () => {
  const { written, notes } = await kept(tokenOf("first"), tokenOf("second"), tokenOf("second"));
  expect([written, notes]).toEqual([["token of second"], []]);
});

test("a renewal that fails is told once and tried on, and says no token", async () => {
  const away = new TokenBrokerError("unreachable", "The broker cannot be reached.");
  const { written, notes } = await kept(away, away, away, tokenOf("second"));
  expect(written).toEqual(["token of second"]);
  expect(notes).toEqual([
    expect.stringMatching(/^looker-token: The token could not be renewed\. The broker cannot be reached\./),
  ]);
});
