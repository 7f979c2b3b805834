/** Opens a link in the browser of the desktop that this process runs on, if there is one. */
import { spawn } from "node:child_process";

type Environment = Readonly<Record<string, string | undefined>>;

interface Opener {
  readonly program: string;
  readonly args: readonly string[];
  /** Text for stdin. */
  readonly input?: string;
}

/** Undefined: there is no desktop, or it is another machine's. */
export function openerOf(
  link: string,
  platform: NodeJS.Platform,
  environment: Environment,
): Opener | undefined {
  if (environment.SSH_CONNECTION) return undefined;
  // By stdin: each user of a machine may read the arguments of each process, and the link has a key.
  if (platform === "darwin") return { program: "osascript", args: ["-"], input: `open location "${link}"\n` };
  if (platform === "win32") return { program: "rundll32", args: ["url.dll,FileProtocolHandler", link] };
  const hasDesktop = environment.DISPLAY || environment.WAYLAND_DISPLAY;
  return hasDesktop ? { program: "xdg-open", args: [link] } : undefined;
}

/** @returns whether a try was made. The link is printed in any case. */
export function openBrowser(link: string): boolean {
  const opener = openerOf(link, process.platform, process.env);
  if (!opener) return false;
  const { program, args, input } = opener;
  const child = spawn(program, args, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  child.on("error", () => {});
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  child.unref();
  return true;
}
