import { TokenBrokerClient } from "@looker-token-broker/client";

export const firstToken = async () => (await new TokenBrokerClient({ scope: "sales" }).token()).accessToken;
