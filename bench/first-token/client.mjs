import { TokenBrokerClient } from "looker-token-client";

export const firstToken = async () => (await new TokenBrokerClient({ scope: "sales" }).token()).accessToken;
