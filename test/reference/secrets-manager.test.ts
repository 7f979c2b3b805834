import { clientSecretsContract } from "../contracts/client-secrets.ts";
import { secretsManagerContract } from "../contracts/secrets-manager.ts";
import { startMotoStand } from "./moto.ts";

secretsManagerContract("moto", startMotoStand);
clientSecretsContract("moto", startMotoStand);
