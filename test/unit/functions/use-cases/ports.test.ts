import { expect, it } from "vitest";
import { Problem } from "../../../../functions/domain/problem.ts";
import {
  sealIdentity,
  Unavailable,
  Unreadable,
  UnusableSecret,
} from "../../../../functions/use-cases/ports.ts";

it("a port's error has a class and a plain message", () => {
  expect(String(new Unavailable("kms"))).toBe("Unavailable: kms is not available");
  expect(String(new Unreadable())).toBe("Unreadable");
  expect(String(new UnusableSecret("deleted"))).toBe(
    "UnusableSecret: the client secret cannot be used: deleted",
  );
});

it("a problem keeps its cause", () => {
  const cause = new Unavailable("dynamodb");
  expect(new Problem("busy", { cause }).cause).toBe(cause);
  expect(String(new Problem("busy"))).toBe("Problem: busy");
});

it("a token of the shared slot is sealed under an impossible session name", () => {
  const key = { scope: "sales", account: "111122223333", uniqueId: "AROAREPORTSERVICE000" };
  const token = { leaseId: "lease-1", baseUrl: "https://example.cloud.looker.com", clientId: "clientOne" };
  expect(sealIdentity(key, token)).toEqual({
    ...{ scope: "sales", account: "111122223333", caller: "AROAREPORTSERVICE000", session: "-" },
    ...{ lease_id: "lease-1", base_url: "https://example.cloud.looker.com", client_id: "clientOne" },
  });
  expect(sealIdentity({ ...key, session: "job" }, token).session).toBe("job");
});
