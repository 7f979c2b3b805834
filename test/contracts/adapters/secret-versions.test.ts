import { startStand } from "../../support/aws-stand.ts";
import { secretVersionsContract } from "../../support/contracts/secret-versions.ts";

secretVersionsContract("the stand-in", startStand);
