import { finishSignIn, looker, signIn, signOut } from "./looker.ts";

function button(id: string): HTMLButtonElement {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLButtonElement)) throw new Error(`There is no button ${id}.`);
  return found;
}

const [signInButton, askButton, signOutButton] = [button("sign-in"), button("ask"), button("sign-out")];
const answer = document.getElementById("answer");

function show(text: string, isSignedIn: boolean): void {
  if (answer !== null) answer.textContent = text;
  signInButton.hidden = isSignedIn;
  askButton.hidden = !isSignedIn;
  signOutButton.hidden = !isSignedIn;
}

/** The SDK gets a new token by itself, as long as Looker takes the refresh token. */
async function ask(): Promise<void> {
  const { display_name: name, email } = await looker.ok(looker.me());
  show(`${name}, ${email}, at ${new Date().toLocaleTimeString()}`, true);
}

/**
 * A token may end at any time, because an admin has ended it. Then only a new sign-in helps. The SDK's error does not tell a
 * refused refresh from a broken network, so the visitor decides, and no page goes round in circles.
 */
async function attempt(action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (error) {
    console.warn(error);
    show("Looker did not accept this sign-in. Sign in again.", false);
  }
}

signInButton.addEventListener("click", () => attempt(signIn));
askButton.addEventListener("click", () => attempt(ask));
signOutButton.addEventListener("click", () =>
  attempt(async () => {
    await signOut();
    show("You have signed out.", false);
  }),
);

show("You are not signed in.", false);
await attempt(async () => {
  if (await finishSignIn()) await ask();
});
