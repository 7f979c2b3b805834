/** The scopes file of the app while `npm start` synthesizes: written by local/rehearsal.ts. */
import { readFileSync } from "node:fs";
import type { BrokerSettings } from "../infra/stack.ts";

const deployment = JSON.parse(readFileSync(process.env.LOCAL_DEPLOYMENT ?? "", "utf8"));

export const scopes = deployment.scopes;
export const settings: BrokerSettings = () => deployment.settings;
