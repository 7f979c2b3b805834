/** The function as the local run's Lambda loads it. It writes each event. */
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { rotateAsTemplate } from "./template-steps.ts";

const client = new SecretsManagerClient({});

export async function handler({ RotationToken: _secret, ...event }) {
  console.info(JSON.stringify(event));
  await rotateAsTemplate(client, event);
}
