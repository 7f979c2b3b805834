import type { User } from "./accounts.ts";
import type { OAuthApp } from "./oauth-apps.ts";
import type { Reply } from "./replies.ts";

/** Each form goes to the address of its page, which holds the app's request. */
export function signInPage(status: number, problem = ""): Reply {
  return html(
    status,
    "Sign in to Looker",
    `${problem && `<p role="alert">${asText(problem)}</p>`}
<form method="post">
<label>Email <input name="email" type="email" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button>
</form>`,
  );
}

export function consentPage({ displayName, description }: OAuthApp, user: User): Reply {
  return html(
    200,
    `${displayName} wants to use Looker as you`,
    `${description && `<p>${asText(description)}</p>`}
<p>You are ${asText(user.displayName)}.</p>
<form method="post">
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`,
  );
}

export function errorPage(status: number, problem: string): Reply {
  return html(status, "Looker", `<p role="alert">${asText(problem)}</p>`);
}

function html(status: number, title: string, body: string): Reply {
  return {
    status,
    headers: {
      "content-type": "text/html;charset=utf-8",
      "cache-control": "no-store",
      // The page's address holds the state of an app.
      "referrer-policy": "same-origin",
      // A page of somebody else must not show the consent in a frame, under a button of its own.
      "content-security-policy": [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'none'",
      ].join(";"),
    },
    body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${asText(title)}</title>
<style>body { font: 1rem/1.5 sans-serif; max-width: 24rem; margin: 4rem auto } label, input { display: block } form * { margin-bottom: 1rem }</style>
<main>
<h1>${asText(title)}</h1>
${body}
</main>
</html>`,
  };
}

function asText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
