import { clientSecretsContract } from "../../support/contracts/client-secrets.ts";
import { secretsManagerContract } from "../../support/contracts/secrets-manager.ts";
import { startMotoStand } from "./moto.ts";

secretsManagerContract("moto", startMotoStand);
clientSecretsContract("moto", startMotoStand);
