/** Whether a `Host` header names this server. After DNS rebinding a browser sends the name of the attacker's page. */
export function isOwnHost(host: string, port: number): boolean {
  const own = /^(127\.0\.0\.1|localhost)(?::(\d+))?$/i.exec(host);
  return own !== null && Number(own[2] ?? 80) === port;
}
